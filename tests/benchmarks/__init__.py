"""Speed and memory, printed; never asserted as seconds."""
