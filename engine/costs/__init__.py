"""What plans cost and how long they take, as ranges: prices, storage, transfer, durations."""
