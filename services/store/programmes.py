"""The newest published version of each programme, as a service keeps it.

Invariant: a version is replaced only by a later one, so that a repeat, a refill of the bus or an older record changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from services.contracts import Event
from services.contracts.programmes import ProgrammePublished
from services.programmes import Programme, programme_of
from services.store.documents import StoredDocument
from services.store.mongo import Document, Store


@dataclass(frozen=True, slots=True)
class PublishedProgramme(StoredDocument):
    """One programme: its `version`, when that was `recorded` by enrolment, and the payload that published it. The id is the programme's."""

    collection: ClassVar[str] = "programmes"

    version: int
    recorded: datetime
    content: dict[str, Any]

    @classmethod
    def of_event(cls, event: Event[ProgrammePublished]) -> Self:
        """Return the document of a publication."""
        return cls(event.subject, event.data.version, event.recordedtime, event.data.model_dump(mode="json"))

    def follows(self, stored: Document | None) -> bool:
        """True when it is later than what is stored. Of two with one version, which two databases may publish, the later recorded."""
        return stored is None or (stored["version"], stored["recorded"]) < (self.version, self.recorded)

    @property
    def programme(self) -> Programme:
        """The programme in this version."""
        return programme_of(self.id, self.content)


async def changed_programmes(store: Store, known: Mapping[str, tuple[int, datetime]]) -> list[PublishedProgramme]:
    """Return the programmes of which another version is stored than is known."""
    found = store[PublishedProgramme.collection].find({}, {"version": 1, "recorded": 1})
    stale = [each["_id"] async for each in found if known.get(each["_id"]) != (each["version"], each["recorded"])]
    documents = await store.by_id(PublishedProgramme.collection, stale)
    return [PublishedProgramme.of(each) for each in documents.values()]
