"""The relay: it sends the outbox to Kafka, and refills a bus that lost records.

Imports `bus` and the store. `runtime`, `operations` and the publisher of the partner feeds may import it.
Invariant: an event of the outbox is acknowledged by Kafka before the relay's position moves past it.
"""
