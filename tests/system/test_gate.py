"""A person of whom an event is a dead letter in every service: their consents and their erasure take effect all the same."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest_asyncio

from services import vault
from services.contracts.topics import SERVICES
from services.embedded.home import Home
from tests.helpers.people import PROGRAMME, People, a_monday
from tests.helpers.poison import poison, stopped
from tests.helpers.records import Record, feed, kind, settled
from tests.helpers.waiting import eventually
from tests.system.canaries import knowing

BOOKKEEPING = {"erased", "outbox", "marks"}


@dataclass
class Blocked:
    """A member who attended and answered, whose later events are dead letters or wait behind one."""

    people: People
    worker: str
    figures: Record
    pseudonym: str
    group: str

    async def told(self, home: Home) -> list[str]:
        """The entries about them in their partner's feed."""
        return [kind(each) for each in await feed(home, "cgil") if each["subject"] == self.pseudonym]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def blocked(home: Home) -> AsyncIterator[Blocked]:
    people = People(home, slot="thu-evening")
    workers = [await people.admit() for _ in range(10)]
    first: date = a_monday(-4) + timedelta(days=3)
    group = await people.form(workers, first, "gate-begun")
    (meeting, *_) = await people.meetings(group, "gate-begun")
    await people.call_roll(meeting["session"], "gate-begun", workers)
    worker = workers[0]
    await people.answer(worker)
    await settled(home)
    name = vault.pseudonym(vault.secret_of(home.settings.keys, "pseudonyms"), PROGRAMME, "cgil", worker)
    services = home.all_services.services
    await poison(services["enrolment"], PROGRAMME, worker)
    await people.consent(worker, contact=False)

    async def everywhere() -> bool:
        return all([await stopped(each, worker) for each in services.values()])

    await eventually(everywhere)
    yield Blocked(people, worker, await people.indicators(), name, group)


async def test_consent_that_is_withdrawn_behind_a_dead_letter_takes_effect_in_every_service(
    home: Home, blocked: Blocked
) -> None:
    people, worker, before = blocked.people, blocked.worker, blocked.figures
    assert await blocked.told(home) == ["worker.referred", "worker.admitted", "worker.seated"]
    await people.consent(worker, research=False, partner_feedback=False)
    now = await people.indicators_once(lambda now: now["referred"] == before["referred"] - 1)
    assert now["took_part"] == before["took_part"] - 1

    async def told() -> bool:
        return (await blocked.told(home))[-1] == "consent.withdrawn"

    await eventually(told)

    async def asked() -> list[Any]:
        shown = (await people.caller("worker", worker)("GET", f"/sessions/workers/{worker}/surveys")).json()
        return shown if {each["status"] for each in shown} == {"dropped", "submitted"} else []

    assert await eventually(asked)
    desk = await people.caller("referrer", partner="cgil")("GET", "/enrolment/workers?limit=1000")
    (row,) = [each for each in desk.json() if each["worker"] == worker]
    assert {name for name, value in row.items() if value is not None} == {"worker", "partner", "referred"}


async def test_an_erasure_behind_a_dead_letter_is_complete_in_every_service(home: Home, blocked: Blocked) -> None:
    people, worker = blocked.people, blocked.worker
    administrator = people.caller("administrator")
    before = (await administrator("GET", f"/sessions/erasures/{worker}")).json()
    assert (before["registered"], before["complete"]) == (False, False)
    assert (await administrator("DELETE", f"/enrolment/workers/{worker}")).status_code == 204

    async def complete() -> bool:
        told = [(await administrator("GET", f"/{each}/erasures/{worker}")).json() for each in SERVICES]
        return all(each["complete"] for each in told)

    await eventually(complete)
    assert (await people.caller("operator")("GET", f"/sessions/erasures/{worker}")).status_code == 403

    async def forgotten() -> bool:
        left = {each for each in knowing(home, worker) if each.partition(".")[2] not in BOOKKEEPING}
        return left == {"enrolment.worker"}

    await eventually(forgotten)
    assert [await stopped(each, worker) for each in home.all_services.services.values()] == [[]] * len(SERVICES)
    assert (await blocked.told(home))[-1] == "consent.withdrawn", "the partner was told to delete already"
