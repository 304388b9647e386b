"""Consumers of a service: batches, effects, dead letters, projections.

Imports `delivery`, `bus`, `outbox` and the store. Packages from `web` upwards may import it.
Invariant: effects, marks and offsets of a batch commit in one transaction.
"""
