"""Reads that answer a route. They change no aggregate."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel

from notifications.domain import Feed, Message, ReferredPerson, Status
from notifications.mail_queue import attempts_of
from services.programmes import Uses, counted_uses
from services.store.mongo import Document, Store
from services.store.work import Work

MOST = 1000  # messages that a page counts
FIRST = datetime(2000, 1, 1, tzinfo=UTC)  # before every message


async def messages(
    store: Store, programme: str, fields: Mapping[str, str], after: str | None, limit: int
) -> list[tuple[Message, int]]:
    """Messages with these field values, by id, each with the number of attempts so far."""
    where: Document = {"programme": programme, **{f"state.{name}": value for name, value in fields.items()}}
    if after is not None:
        where["_id"] = {"$gt": f"{programme}/{after}"}
    found = store[Message.noun].find(where).sort("_id", 1).limit(limit)
    read = [(Message.model_validate(each["state"]), attempts_of(each).tries) async for each in found]
    return [(message, max(message.tries, tries)) for message, tries in read]


async def messages_to(store: Store, programme: str, worker: str, limit: int) -> list[Message]:
    """The messages to one person, the newest first; those that still wait come before."""
    found = store[Message.noun].find({"programme": programme, "state.worker": worker}).limit(limit)
    read = [Message.model_validate(each["state"]) async for each in found]
    return sorted(read, key=lambda each: (each.settled is None, each.settled or FIRST, each.day), reverse=True)


class Page(BaseModel):
    """Messages of one state, the newest first. `total` counts no further than `MOST`."""

    rows: list[Message]
    total: int


async def page_of(
    store: Store, programme: str, status: Status, limit: int, skip: int = 0, since: datetime | None = None
) -> Page:
    """One page of the messages in this state; `since`: those that came to it no earlier."""
    where: Document = {"programme": programme, "state.status": status.value}
    if since is not None:
        where["state.settled"] = {"$gte": since.isoformat()}
    messages = store[Message.noun]
    found = messages.find(where).sort([("state.settled", -1), ("_id", -1)]).skip(skip).limit(limit)
    rows = [Message.model_validate(each["state"]) async for each in found]
    return Page(rows=rows, total=await messages.count_documents(where, limit=MOST))


async def ledgers(store: Store, programme: str) -> dict[str, int]:
    """The last sequence of each ledger, by partner."""
    found = store[Feed.noun].find({"programme": programme})
    return {each["state"]["id"]: each["state"]["last"] async for each in found}


async def uses(work: Work) -> Uses:
    """Count the people that each partner hears of."""
    people = await work.browse(ReferredPerson)
    return counted_uses(("partners", each.partner, "people") for each in people if each.partner)
