"""What others make of the same people."""
