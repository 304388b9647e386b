"""Backup and restore of the five databases.

Imports the store, the bus and the vault. `cli` may import it.
Invariants: a backup shows all databases at one cluster time, holds no person's key, and is encrypted; nothing is overwritten unless the
operator asks for it; whoever was erased since is removed before a service starts; a service does not start on a half restored database;
no sequence and no place in a feed is given twice.
"""
