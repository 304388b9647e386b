"""The bands of today: judged at the first look of a local day, and kept for all copies until the next one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from enrolment.capacity.bands import Capacity, Places, granted, places_of, wait_of
from services.programmes import Programme
from services.store.documents import StoredDocument
from services.web.run import Serving

LATEST = 50  # people by whom the usual wait is judged
MOST = 10_000  # people and groups that are counted
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
TARGET = "groups"  # the target of the programme that counts groups


@dataclass(frozen=True, slots=True)
class JudgedCapacity(StoredDocument):
    """The bands of one day. The id is `{programme}/{day}`."""

    collection: ClassVar[str] = "capacity"

    programme: str
    places: str
    weeks: str | None


async def capacity(service: Serving, programme: str, now: datetime) -> Capacity:
    """The bands of this day. A programme that takes nobody today has no places."""
    rules = service.rules[programme]
    day = rules.day_of(now)
    if not rules.intake.opens <= day <= rules.intake.closes:
        return Capacity(places=Places.NONE)
    kept, id = service.store[JudgedCapacity.collection], f"{programme}/{day}"
    found = await kept.find_one({"_id": id})
    if found is None:
        judged = await _judged(service, rules)
        document = JudgedCapacity(id, programme, judged.places, judged.weeks).document()
        del document["_id"]
        # Another copy may have judged at this moment: the first one counts.
        await kept.update_one({"_id": id}, {"$setOnInsert": document}, upsert=True)
        found = await kept.find_one({"_id": id})
    assert found is not None  # written above, and nobody deletes it
    stored = JudgedCapacity.of(found)
    return Capacity.model_validate({"places": stored.places, "weeks": stored.weeks})


async def _judged(service: Serving, rules: Programme) -> Capacity:
    read, own = service.read_models, {"programme": rules.id}
    groups = [each async for each in read.rows("sizes", {**own, "meets": True})]
    concluded = await read.count("sizes", {**own, "meets": False}, MOST)
    seated = sum(each.get("members") or 0 for each in groups)
    waiting = await read.count("desk", {**own, "stage": "admitted", "seated": None}, MOST)
    room = granted(rules.targets.get(TARGET), len(groups), concluded) * rules.sizes.max
    last = await read.page("desk", {**own, "given": {"$gt": LONG_AGO}}, ("-given", "worker"), 0, LATEST)
    waits = [(each["given"] - each["asked"]).days for each in last if each.get("asked") is not None]
    return Capacity(places=places_of(room - seated - waiting, rules.sizes.max), weeks=wait_of(waits))
