"""Declarations of event types: each names its type, its topic, its readers and the person that it is about.

Invariant: a type's name is a literal string in the class body, never derived, so that renaming a class changes no contract.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*$")]
Moment = AwareDatetime
Day = date
__all__ = [
    "Code",
    "Day",
    "EventData",
    "Field",
    "Id",
    "Moment",
    "Restricted",
    "Slug",
    "Wave",
    "Written",
    "catalogue",
    "datetime",
    "ill_written",
]


@dataclass(frozen=True, slots=True)
class Written:
    """Pattern of a text in new events. It is no part of the schema, because events that were written before it stay readable."""

    pattern: str


CODE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"
Code = Annotated[str, Written(CODE)]
Wave = Annotated[str, Written(r"^T[0-9]$")]

_types: dict[str, "type[EventData]"] = {}


class EventData(BaseModel):
    """Payload of an open event, for any service; it holds no name, contact, free text or answer. Unknown fields are ignored,
    so that an older reader accepts what a newer writer adds."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)  # JSON has no NaN

    type: ClassVar[str]
    topic: ClassVar[str]
    readers: ClassVar[tuple[str, ...]] = ("any",)
    person: ClassVar[str | None] = None  # the field with the person that it is about; "subject": the envelope's

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        name = cls.__dict__.get("type")
        if name is None:
            return  # an abstract base such as Restricted
        known = _types.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"{name} is declared twice: {known.__qualname__} and {cls.__qualname__}")
        _types[name] = cls


def ill_written(data: EventData) -> list[str]:
    """List the fields that must not be written: their text is outside the pattern that `Written` gives them."""
    return [name for name, pattern in _patterns(type(data)) if not pattern.search(str(getattr(data, name)))]


@cache
def _patterns(kind: type[EventData]) -> list[tuple[str, re.Pattern[str]]]:
    return [
        (name, re.compile(each.pattern))
        for name, field in kind.model_fields.items()
        for each in field.metadata
        if isinstance(each, Written)
    ]


class Restricted(EventData):
    """Payload that only the `readers` may read: on the topic, a JWE under the key of the person that `person` names."""


def catalogue(extra: Iterable[type[EventData]] = ()) -> Mapping[str, type[EventData]]:
    """Return every declared event type by its name."""
    added = {kind.type: kind for kind in extra}
    return {**_types, **added} if added else _types  # asked for every event
