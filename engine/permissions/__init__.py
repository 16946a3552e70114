"""The least that roles and keys must allow for a set of documents."""
