"""Talking to AWS: sessions, clients, one module per service, and what errors mean.

Knows nothing of policies. Importing `sessions` or `clients` loads botocore, so commands that may
do without AWS import them where they need them.
"""
