"""Acts of people and operators, for tests of the pages about people."""

from datetime import datetime

import httpx

from enrolment import commands as do
from enrolment.domain import Worker
from services.contracts.enrolment import Purpose, WorkerProfiled
from tests.enrolment.site import Site, fields_of, text_of
from tests.helpers.waiting import eventually, late, projected

PROFILE = WorkerProfiled(municipality="monza", travel_km=15, slots=("mon-evening",))


async def refer(place: Site, given: str, family: str, *, at: datetime | None = None, **card: str) -> str:
    """Refer somebody; their id."""
    named = {"given_name": given, "family_name": family, "language": "it", **card}
    return str((await place.do(do.refer, do.Refer(partner=place.partner, card=named, at=at)))["worker"])


async def consent(place: Site, worker: str, *purposes: Purpose, given: bool = True, at: datetime | None = None) -> None:
    decided = dict.fromkeys(purposes or (Purpose.PARTICIPATION,), given)
    notice = place.service.rules[place.programme].notice.version
    await place.do(do.decide_consent, do.DecideConsent(worker=worker, given=decided, notice=notice, at=at))


async def stored(place: Site, worker: str) -> Worker:
    found = await place.service.store.by_id("worker", [f"{place.programme}/{worker}"])
    return Worker.model_validate(found[f"{place.programme}/{worker}"]["state"])


async def page(client: httpx.AsyncClient, address: str, status: int = 200) -> str:
    answer = await client.get(address)
    assert answer.status_code == status, text_of(answer.text)
    return answer.text


async def send(client: httpx.AsyncClient, address: str, status: int, **typed: str) -> str:
    """Open the form, fill it in, and send it; gives the page, or where it leads."""
    fields = {
        **fields_of(await page(client, address)),
        **{name.replace("__", "."): each for name, each in typed.items()},
    }
    answer = await client.post(address, data=fields)
    assert answer.status_code == status, text_of(answer.text)
    return answer.headers["location"] if status == 303 else answer.text


async def level(place: Site) -> None:
    """Wait until the consumers have taken everything, so that a page alone sends statements."""

    async def taken() -> bool:
        return await projected(place.service) and not await late([place.service])

    await eventually(taken)


async def told(place: Site, worker: str, number: int) -> None:
    """Wait until the timeline of somebody has so many events."""

    async def there() -> bool:
        live = await place.service.read_models.live()
        found = await place.service.store[f"history.g{live}"].count_documents(
            {"programme": place.programme, "worker": worker}
        )
        return bool(found >= number)

    await eventually(there)
