"""Delivery rules that the consumers of services and of partners share: order, marks, parking, failure reasons.

Imports kernel and contracts alone, so that the partners' kit (`services.consumer`) can stand on it. No I/O.
Invariant: per source and subject, events take effect in sequence and once; what cannot is parked.
"""
