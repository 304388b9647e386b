"""A projection's rows in a dict, and events to project, for tests without an engine."""

from datetime import UTC, datetime
from typing import Any

from services.contracts import Event, EventData
from services.events.delivery.declare import Projection


class MemoryRows:
    """Rows by key; facts are replaced, as the store replaces them."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}

    def set(self, key: str, *, person: str | None = None, **facts: Any) -> None:
        named = facts if person is None else {"person": person, **facts}
        row = self.kept.setdefault(key, {})
        row.update({name: _stored(value) for name, value in named.items()})

    def drop(self, key: str) -> None:
        self.kept.pop(key, None)


def event(data: EventData, subject: str, number: int = 1, at: str = "2026-10-05T09:00:00+00:00") -> Event[Any]:
    """An event about this subject."""
    moment = datetime.fromisoformat(at).astimezone(UTC)
    return Event(
        id=f"{subject}-{number}",
        source="/programmes/monza-brianza/enrolment",
        type=data.type,
        subject=subject,
        time=moment,
        recordedtime=moment,
        sequence=number,
        data=data,
    )


def projected(projection: Projection, *events: Event[Any]) -> dict[str, dict[str, Any]]:
    """The rows after these events."""
    rows = MemoryRows()
    for each in events:
        projection.handlers()[each.type](each, rows)
    return rows.kept


def _stored(value: Any) -> Any:
    """Days as the store keeps them: ISO texts."""
    return value.isoformat() if hasattr(value, "isoformat") and not isinstance(value, datetime) else value
