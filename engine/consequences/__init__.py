"""What a change of documents would do, told before it is merged."""
