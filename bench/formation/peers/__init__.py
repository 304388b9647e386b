"""Comparison with other programs that form groups of the same people."""
