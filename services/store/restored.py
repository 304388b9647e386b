"""A database that was restored, and what its service had said before: sequences are not given twice, and nothing is said twice.

Kept per topic and subject in `recalled`: the last sequence that is on the bus, and those events that other events had caused. When such an
event is taken again and causes the same (type, subject, payload), it is the one that is on the bus: it is not said again. What a command
says is always new. Invariant: a database that was never restored is asked nothing.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.settings import Misconfigured
from services.store.mongo import Document, Session, Store, UpdateOne

STATE = "state"
Place = tuple[str, str, str]  # programme, topic, subject


async def look(store: Store) -> None:
    """Before a service starts. Misconfigured when its database is half restored."""
    state = await store["restored"].find_one({"_id": STATE})
    if state is not None and not state["whole"]:
        raise half_restored(store)
    store.recalls = state is not None


def half_restored(store: Store) -> Misconfigured:
    """What is said of such a one."""
    return Misconfigured(f"{store.name} is half restored: run `ama restore` again, with --replace.")


async def whole(store: Store) -> None:
    """Everything is there: the service may start."""
    await store["restored"].update_one({"_id": STATE}, {"$set": {"whole": True}})


def digest_of(data: Any) -> str | None:
    """By which two payloads are the same; None of one that is sealed, and never looks the same twice."""
    return (
        None if isinstance(data, str) else hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()
    )


def recalling(place: Place, sequence: int, said: Collection[Document], lost: Collection[Document]) -> UpdateOne:
    """The change that notes this of a subject: its last sequence, what was `said` because of events, and what is `lost` with commands."""
    change: Document = {
        "$max": {"sequence": sequence},
        "$setOnInsert": {"programme": place[0], "topic": place[1], "subject": place[2]},
    }
    pushed = {name: {"$each": list(some)} for name, some in (("said", said), ("lost", lost)) if some}
    return UpdateOne({"_id": _id(place)}, change | ({"$push": pushed} if pushed else {}), upsert=True)


def _id(place: Place) -> str:
    return "/".join(place)


@dataclass(slots=True)
class Recalled:
    """What one transaction must know of the subjects that speak in it."""

    _known: dict[str, Document] = field(default_factory=dict)
    _taken: list[tuple[str, str]] = field(default_factory=list)

    async def load(self, store: Store, places: Collection[Place], session: Session) -> None:
        """In one query. Not called where the database was never restored."""
        self._known = await store.by_id("recalled", sorted({_id(each) for each in places}), session)

    def last(self, place: Place) -> int:
        """The last sequence that is on the bus, if it was not said by this database."""
        return int(self._known.get(_id(place), {}).get("sequence", 0)) if self._known else 0

    def knows(self, place: Place, type: str, data: Any) -> bool:
        """Whether this was said before; the same is found once for each time that it was."""
        known = self._known.get(_id(place))
        if known is None:
            return False
        digest = digest_of(data)
        for each in known.get("said", []):
            if (each["type"], each["data"]) == (type, digest):
                known["said"].remove(each)
                self._taken.append((_id(place), each["id"]))
                return True
        return False

    def writes(self) -> list[Any]:
        """What was found is found no more."""
        return [UpdateOne({"_id": place}, {"$pull": {"said": {"id": id}}}) for place, id in self._taken]
