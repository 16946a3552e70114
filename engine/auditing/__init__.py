"""Controls and objectives against what exists: pure, and only told."""
