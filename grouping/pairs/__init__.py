"""Wishes of operators for two people of the pool: that they sit apart, or together."""
