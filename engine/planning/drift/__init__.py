"""Drift: what is not as the engine left it, or not as the documents say. One file per family."""
