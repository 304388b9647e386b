"""A document that cannot be read ends no background task of a service: the figures stay, and everything else goes on."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

import grouping.app
from grouping.conclusions import conclude_those_over
from services.programmes import published
from services.runtime.environment import Environment
from services.runtime.gauges import watch
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.clock import now_utc
from services.store.programmes import PublishedProgramme


@pytest_asyncio.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    async with running(grouping.app.build(settings), []) as one:
        yield one


async def test_an_id_that_holds_no_moment_does_not_end_the_gauges(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    await service.store["outbox"].insert_one({"_id": "no moment", "topic": "x", "sequence": 1, "programme": "p"})
    watching = asyncio.create_task(watch(service.store, {}, service.metrics, every=0.05))
    with caplog.at_level(logging.WARNING, "services.runtime.gauges"):
        await asyncio.sleep(1)
    over = watching.done()
    watching.cancel()
    assert not over
    assert "gauges could not be set" in caplog.messages


async def test_a_stored_key_that_cannot_be_read_is_shown_and_hides_no_other_check(service: Service) -> None:
    await service.store["keys"].insert_one({"_id": "p/w", "nobody": "knows this field"})
    await Environment(service).look()
    assert service.metrics.registry.get_sample_value("ama_keys_readable", {"service": "grouping"}) == 0


async def test_a_published_version_that_cannot_be_read_changes_nothing_and_keeps_no_other_back(
    service: Service,
) -> None:
    one, other = (service.rules[id] for id in ("jobs2", "monza-brianza"))
    bad = PublishedProgramme(one.id, 7, now_utc(), published(one, 7).model_dump(mode="json") | {"ends": "1900-01-01"})
    retitled = other.model_copy(update={"title": "Un altro titolo"})
    good = PublishedProgramme(other.id, 7, now_utc(), published(retitled, 7).model_dump(mode="json"))
    collection = service.store[PublishedProgramme.collection]
    await collection.insert_many([bad.document(), good.document()])
    await service.programmes.look()
    assert service.rules[one.id] == one
    assert service.rules[other.id].title == "Un altro titolo"


async def test_a_group_that_cannot_be_read_ends_no_look_for_what_is_over(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    rules = service.rules["jobs2"]
    await service.store["group"].insert_one(
        {"_id": f"{rules.id}/g", "programme": rules.id, "state": {"state": "formed", "nobody": "knows this field"}}
    )
    await conclude_those_over(service, rules, now_utc())
    assert "what falls due fails" in caplog.messages
