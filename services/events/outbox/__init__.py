"""The relay: sends the outbox to Kafka, and refills a bus that lost records.

Imports `bus` and the store. `inbox`, packages above `events` and the publisher of the partners' feeds may import it.
Invariant: Kafka acknowledges an event before the relay's position moves past it.
"""
