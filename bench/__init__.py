"""Benchmarks: each figure is a ratio against bare code that does the same on the same engines in the same run.

Invariant: a floor is the least code that makes the same writes. No code of the services runs in it, and nothing is left out of ours.
`make bench` runs all benchmarks; README.md explains the table.
"""
