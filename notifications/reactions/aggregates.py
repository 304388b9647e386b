"""Look-ups that both tables of reactions use."""

from typing import Any

from services.contracts import Event


def member(event: Event[Any]) -> str:
    """The worker of a seat, before the payload is read; "" when it names none."""
    return str(event.data.get("worker", "")) if isinstance(event.data, dict) else ""
