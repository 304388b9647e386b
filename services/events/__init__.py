"""Events on their way: `bus` (topics, clients), `outbox` (relay), `delivery` (order, marks, parking), `inbox` (consumers, projections).

Packages from `web` upwards may import it, and the rooms what they declare reactions and projections with.
Invariant: an event that was committed reaches every consumer, and takes effect there once.
"""
