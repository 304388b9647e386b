"""Seats in groups: groups are formed, workers join late, and seats end when workers leave."""
