"""Consumers of a service: batches, effects, dead letters and projections, with their state in the service's MongoDB.

Imports `delivery`, `bus` and the store. `runtime` and `operations` may import it.
Invariant: effects, marks and offsets of a batch commit in one transaction.
"""
