"""Complaints and situations after the programme as people meet them, on real engines."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from enrolment import commands as do
from enrolment.domain import Outcome
from services.contracts.enrolment import Leaving
from services.contracts.paths import OutcomeMoment, Situation
from services.identity.auth import Role
from services.kernel import code_of
from services.settings import Settings
from tests.enrolment.operators import consent, page, refer, send
from tests.enrolment.site import Site, site, text_of
from tests.helpers.own_programme import in_a_programme_of_its_own
from tests.helpers.waiting import eventually

TEXT = "Il colloquio è stato rinviato due volte."
REPLY = "Ci dispiace: il prossimo è giovedì."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(engines: Any, keys: Path, tmp_path_factory: Any) -> AsyncIterator[Site]:
    """Enrolment in a programme of its own."""
    bare = Settings(kafka=engines.kafka, mongo=engines.mongo, keys=keys, database=f"cp{datetime.now(UTC):%H%M%S%f}")
    async with site(in_a_programme_of_its_own(bare, tmp_path_factory.mktemp("programmes"))) as found:
        yield found


async def shows(client: httpx.AsyncClient, address: str, *texts: str) -> bool:
    """Tell whether a page, which may lag behind, has these texts by now."""
    html = (await client.get(address)).text
    return all(each in html for each in texts)


async def hides(client: httpx.AsyncClient, address: str, *texts: str) -> bool:
    """Tell whether a page has none of these texts any more."""
    html = (await client.get(address)).text
    return not any(each in html for each in texts)


async def newest(place: Site) -> dict[str, Any]:
    """The complaint that was stored last."""
    found = await place.service.store["complaint"].find({"programme": place.programme}).sort("_id", -1).to_list(1)
    return dict(found[0]["state"])


async def test_a_worker_complains_and_reads_the_answer_and_nobody_sees_who_it_was(place: Site) -> None:
    worker = await refer(place, "Zelmira", "Quagliotto")
    own, desk = place.client(Role.WORKER, worker), place.client(Role.OPERATOR)
    assert await send(own, "/me/reclamo", 303, text=TEXT) == "/me/reclamo?inviato=true"
    stored = await newest(place)
    assert TEXT not in str(stored)
    await eventually(lambda: shows(desk, "/reclami", code_of(stored["id"])))
    listed = await page(desk, "/reclami")
    shown = await page(desk, f"/reclami/{stored['id']}")
    assert TEXT in shown
    for html in (listed, shown, (await desk.get("/frammenti/reclami-aperti")).text):
        assert code_of(stored["id"]) in html
        for secret in (worker, code_of(worker), "Zelmira", "Quagliotto"):
            assert secret not in html, secret
    assert ("operator", "complaint") in await place.noted(worker)
    facilitator = place.client(Role.FACILITATOR)
    assert {(await facilitator.get(each)).status_code for each in ("/reclami", f"/reclami/{stored['id']}")} == {403}

    assert (await desk.post(f"/reclami/{stored['id']}/passaggio")).status_code == 303
    assert await send(desk, f"/reclami/{stored['id']}", 303, text=REPLY) == f"/reclami/{stored['id']}"
    assert REPLY in text_of(await page(own, "/me/reclamo"))
    again = await desk.post(f"/reclami/{stored['id']}", data={"text": "Altro", "step": "done"})
    assert again.status_code == 409
    stranger = place.client(Role.WORKER, await refer(place, "Ada", "Altra"))
    assert TEXT not in await page(stranger, "/me/reclamo")
    assert REPLY not in str(await newest(place))


async def test_a_partner_complains_and_reads_its_own_alone(place: Site) -> None:
    partner = place.referrer()
    assert await send(partner, "/segnalazioni/reclamo", 303, text="Nessuno risponde.") == (
        "/segnalazioni/reclamo?inviato=true"
    )
    stored, desk = await newest(place), place.client(Role.OPERATOR)
    assert "Nessuno risponde." not in str(stored)
    assert "A partner with an agreement" in await page(desk, f"/reclami/{stored['id']}")
    await send(desk, f"/reclami/{stored['id']}", 303, text=REPLY)
    assert REPLY in await page(partner, "/segnalazioni/reclamo")
    assert REPLY not in await page(place.referrer(place.stranger), "/segnalazioni/reclamo")


async def test_five_complaints_may_wait_and_a_sixth_is_kept_in_the_form(place: Site) -> None:
    own = place.client(Role.WORKER, await refer(place, "Ada", "Insistente"))
    for n in range(5):
        await send(own, "/me/reclamo", 303, text=f"Reclamo {n}")
    page_ = text_of(await send(own, "/me/reclamo", 409, text="Il sesto"))
    assert "Cinque reclami aspettano già una risposta" in page_
    assert "Il sesto" in page_


async def test_an_erasure_empties_the_complaint_and_removes_the_situation(place: Site) -> None:
    worker = await refer(place, "Ada", "Cancellanda")
    await send(place.client(Role.WORKER, worker), "/me/reclamo", 303, text=TEXT)
    stored = await newest(place)
    await place.do(do.erase, do.Erase(worker=worker))

    async def emptied() -> bool:
        after = await newest(place)
        return (after["id"], after["worker"], after["about"]) == (stored["id"], None, None)

    await eventually(emptied)
    desk = place.client(Role.OPERATOR)
    assert "non c'è nessuno a cui rispondere" in text_of(await page(desk, f"/reclami/{stored['id']}"))


async def test_whoever_left_is_on_the_list_until_an_operator_or_they_themselves_say_how_things_are(place: Site) -> None:
    people = []
    for name in ("Uno", "Due"):
        worker = await refer(place, "Ada", name)
        await consent(place, worker)
        await place.do(do.admit, do.Admit(worker=worker))
        await place.do(do.withdraw, do.Withdraw(worker=worker, reason=Leaving.FOUND_WORK))
        people.append(worker)
    desk, (first, second) = place.client(Role.OPERATOR), people
    await eventually(lambda: shows(desk, "/esiti", *map(code_of, people)))
    assert await send(desk, f"/persone/{first}/esito/uscita", 303, situation="employed") == (
        "/esiti?momento=uscita&salvato=true"
    )
    own = place.client(Role.WORKER, second)
    assert "/me/esito" in (await own.get("/frammenti/mio-esito")).text
    assert await send(own, "/me/esito", 303, situation="searching") == "/me/esito?fatto=true"
    await eventually(lambda: hides(desk, "/esiti", *map(code_of, people)))
    await eventually(lambda: hides(own, "/frammenti/mio-esito", "/me/esito"))
    assert "Cerca lavoro" in (await desk.get(f"/frammenti/esiti?worker={second}")).text
    key = f"{place.programme}/{Outcome.id_of(first, OutcomeMoment.EXIT)}"
    stored = Outcome.model_validate((await place.service.store.by_id("outcome", [key]))[key]["state"])
    assert stored.last is not None
    assert stored.last.situation is Situation.EMPLOYED
    refused = await desk.post(
        f"/persone/{first}/esito/uscita", data={"left": "1/1/2020", "situation": "employed", "day": "2/1/2020"}
    )
    assert refused.status_code == 409
