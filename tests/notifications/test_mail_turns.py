"""The mails of one programme, however many, keep back none of another."""

import uuid
from collections.abc import AsyncIterator
from datetime import date

import pytest_asyncio

from notifications.domain import Message
from notifications.mail_queue import MailQueue, in_turn
from services.settings import Settings
from services.store.mongo import Store


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    opened = Store(settings.mongo, settings.database_of(f"turns{uuid.uuid4().hex[:6]}"))
    yield opened
    await opened.close()


async def queued(store: Store, programme: str, number: int) -> None:
    for each in range(number):
        message = Message.about_seat(f"m{each}", f"w{each}", "g", date(2027, 1, 11), "c")
        document = {"_id": f"{programme}/{message.id}", "programme": programme, "version": 1, "sequences": {}}
        await store[Message.noun].insert_one({**document, "state": message.model_dump(mode="json")})


async def test_each_programme_has_its_turn(store: Store) -> None:
    for programme, number in (("a", 5), ("b", 2), ("c", 1)):
        await queued(store, programme, number)
    queue = MailQueue(store)
    claims = [await queue.claim({"a", "b", "c"}) for _ in range(9)]
    assert [each.programme for each in claims if each] == ["a", "b", "c", "a", "b", "a", "a", "a"]
    assert claims[-1] is None


def test_the_programme_that_was_served_last_comes_last() -> None:
    assert in_turn({"b", "a", "c"}, "") == ["a", "b", "c"]
    assert in_turn({"b", "a", "c"}, "b") == ["c", "a", "b"]
    assert in_turn({"b", "a"}, "gone") == ["a", "b"]
