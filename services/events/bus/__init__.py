"""Kafka: topics and their ids, clients, disks.

Imports contracts and settings. `outbox`, `inbox` and packages above `events` may import it.
Invariant: every client is made by `Bus`, so that security settings are in one place.
"""
