"""Delivery rules that the consumers of services and of partners share: order, marks and parking.

Imports kernel and contracts alone. `inbox` and the partners' kit (`services.consumer`) may import it. No I/O.
Invariant: per source and subject, events take effect in sequence and once; an event that cannot is parked.
"""
