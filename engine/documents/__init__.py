"""Policies and estates: YAML text in, checked and typed documents out."""
