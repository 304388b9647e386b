"""Dead letters of projections: a dismissal holds in every rebuild, and a rebuild closes those of the old generation."""

from collections.abc import Collection
from typing import Any

from services.contracts import Event
from services.contracts.enrolment import ConsentChanged, WorkerReferred
from services.events.delivery.declare import Projection, Rows, on
from services.events.inbox import dead_letters
from services.operations.rebuild import rebuild
from services.runtime import gauges
from services.runtime.service import Service
from tests.helpers.own_engines import (
    Apart,
    event,
    gauge,
    listening,
    noting,
    subjects,
    tell,
    until_dead,
)
from tests.helpers.waiting import eventually


class Referred(Projection):
    """One row per worker."""

    name = "referred"
    broken: Collection[str] = ()

    @on(WorkerReferred)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        if event.id in self.broken:
            raise RuntimeError("broken")
        rows.set(event.subject, partner=event.data.partner)

    @on(ConsentChanged)
    def consented(self, event: Event[ConsentChanged], rows: Rows) -> None:
        rows.set(event.subject, last=event.sequence)


async def rows(service: Service, *wanted: str) -> dict[str, dict[str, Any]]:
    found = [each async for each in service.read_models.rows("referred", {"programme": "monza-brianza"})]
    told = {each["_id"].partition("/")[2]: {"partner": each.get("partner"), "last": each.get("last")} for each in found}
    return {subject: told[subject] for subject in wanted if subject in told}


async def test_a_dismissed_event_has_no_effect_its_followers_have_and_a_rebuild_passes_over_it(apart: Apart) -> None:
    (bad, odd, good), projection = subjects(3), Referred()
    projection.broken = {f"{bad}-1"}
    service = apart.service(noting([]), projection)
    async with listening(service):
        await tell(service.bus, event(bad, 1), event(bad, 2), event(good, 1), event(good, 2))
        await tell(service.bus, event(odd, 1), event(odd, 1, f"{odd}-intruder"), event(odd, 2), ("junk", b"{}"))
        of_projection = {each["name"]: each for each in await dead_of(service, "projections.g1", 3)}
        for each in of_projection.values():
            words = ["dead", "dismiss", "grouping", each["_id"], "--by", "anna"]
            assert (await apart.ama(service, *words))[0] != 0, "a dismissal needs a reason"
            assert (await apart.ama(service, *words, "--reason", "it was a test"))[0] == 0
        wanted = {
            bad: {"partner": None, "last": 2},
            odd: {"partner": "afol", "last": 2},
            good: {"partner": "afol", "last": 2},
        }

        async def flown() -> bool:
            return await rows(service, bad, odd, good) == wanted

        assert await eventually(flown)
        projection.broken = ()  # mended, and yet what was dismissed stays so
        assert await rebuild(service, lambda done, total: None) == 2
        assert await rows(service, bad, odd, good) == wanted
        again = await dead_letters.listed(service.store, "projections.g2", closed=True)  # also of other tests' records
        assert [each["name"] for each in again if each["name"] in of_projection] == []
        assert [each["name"] for each in again if each.get("subject") in {bad, odd, good}] == []


async def dead_of(service: Service, consumer: str, number: int) -> list[Any]:
    async def there() -> Any:
        found = await dead_letters.listed(service.store, consumer)
        return found if len(found) == number else None

    return list(await eventually(there))


async def test_a_rebuild_closes_the_dead_letters_of_the_generation_that_is_no_more(apart: Apart) -> None:
    (bad,), projection = subjects(1), Referred()
    projection.broken = {f"{bad}-1"}
    service = apart.service(noting([]), projection)
    async with listening(service):
        await tell(service.bus, event(bad, 1))
        await until_dead(service, f"{bad}-1")
        await gauges.look(service.store, service.runners, service.metrics)
        assert (
            gauge(service, "dead", "projections.g1")
            == len(await dead_letters.listed(service.store, "projections.g1"))
            > 0
        )
        projection.broken = ()
        await rebuild(service, lambda done, total: None)
        assert await rows(service, bad) == {bad: {"partner": "afol", "last": None}}
        assert await until_dead(service, f"{bad}-1", status="superseded")
        await gauges.look(service.store, service.runners, service.metrics)
        assert gauge(service, "dead", "projections.g1") == 0
