"""The reads of a page of grouping do not grow with the programme: as many statements, over as many documents."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest_asyncio

import grouping.app
from grouping.domain import Facilitator, Group, Membership, Place
from services.contracts.grouping import Ending, Kind
from services.identity.auth import Role
from services.kernel import Aggregate
from services.runtime.service import Service, running
from services.settings import Settings
from tests.helpers.callers import client_as
from tests.helpers.examined import asked_of

FEW, MANY = 40, 400  # groups
SEATS = 12
FIRST = date(2026, 1, 8)
NOUNS = ("group", "seeker", "place", "facilitator", "pair", "consents")
PAGES = [
    "/gruppi",
    "/gruppi?pagina=2",
    "/gruppi?concluse=true",
    "/gruppi/g00001",
    "/gruppi/g00001/entrate",
    "/gruppi/luoghi",
    "/gruppi/facilitatori",
    "/frammenti/oggi",
    "/frammenti/posto?worker=w00001-1",
    "/frammenti/posto?worker=free00001",
]


@pytest_asyncio.fixture
async def built(own: Settings) -> AsyncIterator[Service]:
    async with running(grouping.app.build(own), ["api"]) as one:
        await one.read_models.prepare(1)
        yield one


class Filling:
    """Adds groups of a programme to the database, as the consumer and the commands would have left them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.programme = next(iter(service.rules))

    async def until(self, old: int, new: int) -> None:
        """Add the groups from the number `old` to the number `new`."""
        numbers = range(old + 1, new + 1)
        await self._rows("group_list", [self._group(each) for each in numbers])
        await self._rows("pool", [self._seat(each, seat) for each in numbers for seat in range(SEATS)])
        seated = [self._waiting(f"w{each:05}-{seat}", f"g{each:05}") for each in numbers for seat in range(SEATS)]
        free = [self._waiting(f"free{each:05}", None) for each in numbers]
        await self._rows("waiting", [*seated, *free])
        await self._rows("places", [self._place(each) for each in numbers])
        await self._rows(
            "facilitators", [(f"f{each:05}", {"facilitator": f"f{each:05}", "groups": 1}) for each in numbers]
        )
        await self._stored([aggregate for each in numbers for aggregate in self._aggregates(each)])

    def _group(self, number: int) -> tuple[str, dict[str, Any]]:
        over = number % 4 == 0
        where = {
            "kind": "heterogeneous",
            "slot": "thu-evening",
            "place": f"p{number:05}",
            "facilitator": f"f{number:05}",
        }
        first = (FIRST + timedelta(days=7 * (number % 100))).isoformat()
        end = {"concluded": first, "reason": Ending.TOO_FEW.value} if over else {"concluded": None}
        members = 1 if number % 10 == 1 else SEATS
        return f"g{number:05}", {"group": f"g{number:05}", "first": first, "members": members, **where, **end}

    def _seat(self, number: int, seat: int) -> tuple[str, dict[str, Any]]:
        worker, group = f"w{number:05}-{seat}", f"g{number:05}"
        facts = {"person": worker, "member": worker, "group": group, "since": FIRST.isoformat(), "left": None}
        return f"{worker}/{group}", facts

    def _waiting(self, worker: str, seat: str | None) -> tuple[str, dict[str, Any]]:
        long_ago = datetime(2026, 1, 1, tzinfo=UTC)
        return worker, {"person": worker, "worker": worker, "waits": long_ago, "not_before": None, "seat": seat}

    def _place(self, number: int) -> tuple[str, dict[str, Any]]:
        told = {"title": f"Sala {number}", "address": "Via Roma 1", "municipality": "monza", "rooms": 1, "access": True}
        return f"p{number:05}", {"place": f"p{number:05}", **told}

    def _aggregates(self, number: int) -> list[Aggregate]:
        leader, place, id = f"f{number:05}", f"p{number:05}", f"g{number:05}"
        free = frozenset({"thu-evening"})
        members = [Membership(worker=f"w{number:05}-{seat}", since=FIRST) for seat in range(SEATS)]
        seat: dict[str, Any] = {"slot": "thu-evening", "place": place, "facilitator": leader, "first": FIRST}
        return [
            Group(id=id, kind=Kind.HETEROGENEOUS, members=members, **seat),
            Place(id=place, title="Sala", address="Via Roma 1", municipality="monza", rooms=1, access=True),
            Facilitator(id=leader, municipality="monza", travel_km=30, slots=free, groups=1),
        ]

    async def _rows(self, projection: str, rows: list[tuple[str, dict[str, Any]]]) -> None:
        told = [{"_id": f"{self.programme}/{key}", "programme": self.programme, **facts} for key, facts in rows]
        await self.service.store[f"{projection}.g1"].insert_many(told)

    async def _stored(self, aggregates: list[Aggregate]) -> None:
        for each in aggregates:
            kept = {"programme": self.programme, "version": 1, "sequences": {}, "state": each.model_dump(mode="json")}
            await self.service.store[each.noun].insert_one({"_id": f"{self.programme}/{each.id}", **kept})


async def test_no_page_asks_more_of_the_database_in_a_programme_of_ten_times_the_size(built: Service) -> None:
    filling, asked = Filling(built), {}
    async with client_as(built.app, Role.OPERATOR, filling.programme) as client:

        async def shown(page: str) -> None:
            answer = await client.get(page)
            assert answer.status_code == 200, (page, answer.text[:2000])

        for old, new in ((0, FEW), (FEW, MANY)):
            await filling.until(old, new)
            for page in PAGES:
                await shown(page)  # the first look writes accesses that the second one finds
                asked[page, new] = await asked_of(built.store, NOUNS, partial(shown, page))
    for page in PAGES:
        few, many = asked[page, FEW], asked[page, MANY]
        assert len(few.statements) == len(many.statements) <= 20, (page, few, many)
        assert max(few.documents, many.documents) <= 60, (page, few, many)
