"""Programmes played through the public interfaces: the pilot on real data, and the smoke test.

`cli` may import it.
Invariant: a scenario uses what a caller from outside can use, and nothing else.
"""
