"""Events on their way: `bus`, `outbox`, `delivery` and `inbox`.

Packages from `web` upwards may import it; rooms import what they declare reactions and projections with.
Invariant: a committed event reaches every consumer and takes effect there once.
"""
