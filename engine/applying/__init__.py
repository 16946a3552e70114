"""Doing what a plan says: executor, waiting, journal and lock; the clock is a protocol."""
