"""A programme as the event that publishes it, and back.

Invariant: nothing is lost either way. The event's class stands between, because it ignores what a newer writer added.
"""

from typing import Any

import orjson

from services.contracts.programmes import ProgrammePublished
from services.programmes.model import Programme


def published(programme: Programme, version: int) -> ProgrammePublished:
    """Return the event that publishes this programme."""
    return ProgrammePublished.model_validate({**programme.model_dump(mode="json", exclude={"id"}), "version": version})


def programme_of(id: str, data: ProgrammePublished | dict[str, Any]) -> Programme:
    """Return the programme of that id that the event published. Raises ValidationError for a payload that is none."""
    read = ProgrammePublished.model_validate(data)
    content = {"id": id, **read.model_dump(mode="json", exclude={"version"})}
    # As JSON, because the model is strict: in JSON a date is a text, and in a file it is not.
    return Programme.model_validate_json(orjson.dumps(content))
