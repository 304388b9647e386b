"""MongoDB: the client, transactions, and one class for each collection.

It holds the documents of a service, and the way in which a command or a batch changes them. It imports kernel, contracts, vault,
programmes and telemetry. Packages from `identity` upwards may import it; commands see it as `Work` alone.
Invariant: state, events and marks commit in one transaction, or none of them does. Motor is imported here and nowhere else.
"""
