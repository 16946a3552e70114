"""Breaks each protection, one at a time, and shows that a test notices.

`python -m tests.mutations` tries all of them; see `tests/mutations/__main__.py`.
"""
