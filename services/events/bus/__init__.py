"""Kafka: topics and their ids, clients, disks.

Imports contracts and settings. `outbox`, `inbox` and packages above `events` may import it.
Invariant: `Bus` makes every client, so that security settings are in one place.
"""
