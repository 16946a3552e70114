"""A leaf: which points in time a set of keep rules keeps, and why. Pure; no clock, no files."""
