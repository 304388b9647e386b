"""Events that an aggregate has recorded."""

from services.kernel import Aggregate, RecordedEvent


def recorded(of: Aggregate) -> list[RecordedEvent]:
    events: list[RecordedEvent] = []
    of.record_into(events)
    return events
