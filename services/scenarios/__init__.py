"""Programmes played through the public interfaces: the pilot on real data, and the smoke test.

Imports contracts, programmes and settings. `cli` may import it.
Invariant: a scenario uses only interfaces that an outside caller can use.
"""
