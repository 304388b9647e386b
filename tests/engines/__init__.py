"""The embedded engines, always real."""
