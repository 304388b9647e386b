"""Reads that answer a route. They change no aggregate."""

from collections.abc import Mapping

from notifications.domain import Feed, Message, ReferredPerson
from notifications.mail_queue import attempts_of
from services.programmes import Uses, counted_uses
from services.store.mongo import Document, Store
from services.store.work import Work


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


async def ledgers(store: Store, programme: str) -> dict[str, int]:
    """The last sequence of each ledger, by partner."""
    found = store[Feed.noun].find({"programme": programme})
    return {each["state"]["id"]: each["state"]["last"] async for each in found}


async def uses(work: Work) -> Uses:
    """Count the people that each partner hears of."""
    people = await work.browse(ReferredPerson)
    return counted_uses(("partners", each.partner, "people") for each in people if each.partner)
