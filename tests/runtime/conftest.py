"""Engines of these tests' own, since they stop and start MongoDB."""

from tests.helpers.own_engines import apart

__all__ = ["apart"]
