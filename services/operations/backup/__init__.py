"""Backup and restore of the five databases: taken at one moment, put back whole, and brought level with a bus that is ahead.

Invariants: what is taken is what stood in all five at one cluster time; no key of a person is in it; nothing is overwritten unless that was
asked for; a service whose database is being restored does not start; no sequence and no place in a feed is ever given twice.
"""
