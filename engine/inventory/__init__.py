"""What exists in AWS: typed records, read live or from a recording."""
