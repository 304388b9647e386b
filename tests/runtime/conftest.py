"""Engines of these tests' own, since they stop and start MongoDB."""

from tests.events.apart import apart

__all__ = ["apart"]
