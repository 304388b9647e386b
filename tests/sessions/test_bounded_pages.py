"""The reads of a page about meetings do not grow with the programme: as many statements, over as many documents."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest_asyncio

import sessions.app
from services.identity.auth import Role
from services.kernel import Aggregate
from services.runtime.service import Service, running
from services.settings import Settings
from sessions.domain import Meeting, Participant, Roster, meeting_id
from tests.helpers.callers import client_as
from tests.helpers.examined import asked_of

FEW, MANY = 20, 200  # groups
MEETINGS, SEATS = 18, 12
NOW = datetime.now(UTC).replace(microsecond=0)
GROUP = "g00001"
SESSION = meeting_id(GROUP, 1)
NOUNS = ("session", "roster", "participant", "survey", "consents")
PAGES = {
    Role.OPERATOR: (
        "/incontri",
        "/incontri?vista=prossimi&pagina=3",
        "/incontri?vista=passati&pagina=2",
        f"/incontri?gruppo={GROUP}",
        f"/incontri/{SESSION}",
        "/frammenti/oggi",
        f"/frammenti/prossimo?group={GROUP}",
        "/groups/next-meetings?groups=" + ",".join(f"g{number:05}" for number in range(1, 21)),
    ),
    Role.FACILITATOR: ("/gruppo", f"/gruppo/incontri/{SESSION}"),
    Role.WORKER: ("/frammenti/mio-calendario", "/frammenti/miei-questionari"),
}


@pytest_asyncio.fixture
async def service(own: Settings) -> AsyncIterator[Service]:
    async with running(sessions.app.build(own), ["api"]) as one:
        await one.read_models.prepare(1)
        yield one


class Filling:
    """Adds groups with their meetings to the database, as consumer and reactions would have left them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.programme = next(name for name in service.rules if name.startswith("own"))

    async def until(self, old: int, new: int) -> None:
        """Add the groups from the number `old` to the number `new`. Each facilitator leads two."""
        for number in range(old + 1, new + 1):
            group, place, leader = f"g{number:05}", f"p{number:05}", f"f{(number + 1) // 2:05}"
            led = {"group": group, "slot": "thu-evening", "place": place, "first": "2026-01-08", "meetings": MEETINGS}
            await self._rows("led", [(group, {**led, "facilitator": leader})])
            lead = {"group": group, "facilitator": leader, "since": "2026-01-08", "order": 2}
            await self._rows("leaders", [(f"e{number}", lead)])
            told = {"place": place, "title": f"Sala {number}", "address": "Via Roma 1", "municipality": "monza"}
            await self._rows("places", [(place, told)])
            await self._rows("meetings", [self._meeting(group, place, each) for each in range(1, MEETINGS + 1)])
            roster = Roster(id=group, slot="thu-evening", place=place, facilitator=leader)
            for seat in range(SEATS):
                roster.seat(f"w{number:05}-{seat}", date(2020, 1, 1))
            workers = [Participant(id=each.worker, groups=[group]) for each in roster.members]
            meetings = [
                Meeting(id=meeting_id(group, n), group=group, number=n, starts=_starts(n), place=place)
                for n in range(1, MEETINGS + 1)
            ]
            await self._stored([roster, *workers, *meetings])

    def _meeting(self, group: str, place: str, number: int) -> tuple[str, dict[str, Any]]:
        held = {"state": "held", "present": 9, "absent": 3} if 3 < number < 10 else {"state": "open"}
        session = meeting_id(group, number)
        where = {"session": session, "group": group, "number": number, "place": place}
        return session, {**where, "starts": _starts(number), **held}

    async def _rows(self, projection: str, rows: list[tuple[str, dict[str, Any]]]) -> None:
        told = [{"_id": f"{self.programme}/{key}", "programme": self.programme, **facts} for key, facts in rows]
        await self.service.store[f"{projection}.g1"].insert_many(told)

    async def _stored(self, aggregates: list[Aggregate]) -> None:
        by_noun: dict[str, list[dict[str, Any]]] = {}
        for each in aggregates:
            kept = {"programme": self.programme, "version": 1, "sequences": {}, "state": each.model_dump(mode="json")}
            by_noun.setdefault(each.noun, []).append({"_id": f"{self.programme}/{each.id}", **kept})
        for noun, documents in by_noun.items():
            await self.service.store[noun].insert_many(documents)


def _starts(number: int) -> datetime:
    return NOW + timedelta(days=14 * (number - 10))


async def test_no_page_asks_more_of_the_database_in_a_programme_of_ten_times_the_size(service: Service) -> None:
    filling, asked = Filling(service), {}
    subjects = {Role.OPERATOR: "somebody", Role.FACILITATOR: "f00001", Role.WORKER: "w00001-1"}
    for old, new in ((0, FEW), (FEW, MANY)):
        await filling.until(old, new)
        for role, pages in PAGES.items():
            async with client_as(service.app, role, filling.programme, subjects[role]) as client:

                async def shown(page: str, client: Any = client) -> None:
                    answer = await client.get(page)
                    assert answer.status_code == 200, (page, answer.text[:2000])

                for page in pages:
                    await shown(page)
                    asked[role, page, new] = await asked_of(service.store, NOUNS, partial(shown, page))
    for role, pages in PAGES.items():
        for page in pages:
            few, many = asked[role, page, FEW], asked[role, page, MANY]
            assert len(few.statements) == len(many.statements) <= 20, (page, few, many)
            # A group has 18 meetings, and a page has 20 rows.
            assert max(few.documents, many.documents) <= 20 * MEETINGS, (page, few, many)
