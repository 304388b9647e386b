"""The chassis that each of the five services stands on. It knows none of them."""
