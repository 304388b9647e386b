"""MongoDB: client, transactions, commands, and one class for each collection.

Imports kernel, contracts, settings, vault, programmes and telemetry. Packages from `events` upwards may import it; commands of a room see
it as `Work` alone.
Invariant: state, events and marks commit in one transaction or not at all. Motor is imported here and nowhere else.
"""
