"""The pages of an operator about people in a real browser: on a narrow and a wide screen, judged by axe, in every state."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from enrolment import commands as do
from services.contracts.enrolment import How, Purpose
from services.identity.auth import Role
from services.settings import Settings
from tests.enrolment.browsing import Seen, seen
from tests.enrolment.operators import PROFILE, level, refer
from tests.enrolment.site import Site, site
from tests.helpers.looking import DESK, NARROW

PICTURES = Path(__file__).parents[2] / "build" / "people"


@pytest_asyncio.fixture
async def here(own: Settings) -> AsyncIterator[Site]:
    async with site(own.model_copy(update={"services": "http://127.0.0.1:1/{service}"})) as found:
        yield found


async def peopled(here: Site) -> tuple[str, str]:
    """Somebody new and somebody who waits for a seat, and others in the lists of today; the ids of the two."""
    new = await refer(here, "Niccolò", "D'Angelo", email="niccolo@example.org", phone="+393331234567")
    waits = await refer(here, "Maria Grazia", "Fumagalli-Brambilla", email="maria.grazia.fumagalli@example.org")
    notice = here.service.rules[here.programme].notice.version
    given = {Purpose.PARTICIPATION: True, Purpose.CONTACT: True, Purpose.RESEARCH: False}
    await here.do(do.decide_consent, do.DecideConsent(worker=waits, given=given, notice=notice, how=How.SIGNED_PAPER))
    await here.do(do.describe, do.Describe(worker=waits, profile=PROFILE))
    await here.do(do.admit, do.Admit(worker=waits))
    await refer(here, "Ada", "Tarda", at=datetime.now(UTC) - timedelta(days=20))
    booked = await refer(here, "Ada", "Prenotata")
    await here.do(do.book, do.Book(worker=booked, when=datetime.now(UTC) + timedelta(days=1)))
    for number in range(27):
        await refer(here, f"Persona{number:02}", "Numerosa")
    await level(here)
    return new, waits


async def walk(site: Seen, new: str, waits: str) -> None:
    """Every page, and the forms with mistakes and with answers to check."""
    page = site.looked.page

    async def picture(name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        assert page.viewport_size is not None
        width = page.viewport_size["width"]
        await page.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)

    for name, path in (
        ("oggi", "/oggi"), ("agenda", "/colloqui"), ("elenco", "/oggi?elenco=senza-consenso"), ("vuoto", "/oggi?elenco=senza-profilo"),
        ("persone", "/persone"), ("cerca", "/persone?nome=dangelo"), ("nessuno", "/persone?nome=zzz"), ("scheda", f"/persone/{waits}"),
        ("nuova", f"/persone/{new}"), ("non-ancora", f"/persone/{new}/ammissione"), ("rifiuto", f"/persone/{new}/rifiuto"),
        ("uscita", f"/persone/{new}/uscita"), ("dati", f"/persone/{new}/dati"), ("profilo", f"/persone/{waits}/profilo"),
        ("assente", "/persone/nobody"),
    ):  # fmt: skip
        await site.open(path)
        await picture(name)
    await site.open(f"/persone/{new}/consensi")
    await site.press("Continuare: controllare le risposte")
    assert await page.evaluate("document.activeElement.id") == "errors"
    await picture("consensi-errore")
    await page.locator("#participation").check()
    await page.get_by_label("Firmato su carta").check()
    await site.press("Continuare: controllare le risposte")
    await picture("consensi-controllo")
    await site.press("Registrare le decisioni")
    await picture("consensi-fatto")


async def compare(site: Seen, one: str, other: str) -> None:
    """The list of possible duplicates, two records side by side, the check of each decision, and the merge that waits."""
    page, address = site.looked.page, f"/doppioni/{one}/{other}"

    async def picture(name: str) -> None:
        assert page.viewport_size is not None
        await page.screenshot(path=PICTURES / f"{name}-{page.viewport_size['width']}.png", full_page=True)

    PICTURES.mkdir(parents=True, exist_ok=True)
    await site.open("/doppioni")
    await picture("doppioni")
    await site.open(address)
    await picture("confronto")
    await site.press("Continua: vedere che cosa comporta")
    await picture("confronto-errore")
    await page.get_by_label("Sono due persone").check()
    await site.press("Continua: vedere che cosa comporta")
    await picture("confronto-due")
    await site.open(address)
    await page.locator("#decision").check()
    await site.press("Continua: vedere che cosa comporta")
    await picture("confronto-unione")
    await site.press("Unire le schede")
    await picture("doppioni-previsti")
    await site.open(address)
    await picture("confronto-previsto")


@pytest.mark.parametrize("size", [NARROW, pytest.param(DESK, marks=pytest.mark.long)], ids=["narrow", "wide"])
async def test_the_pages_of_possible_duplicates_fit_the_screen_and_axe_finds_nothing(here: Site, size: Any) -> None:
    email = "maria.grazia.fumagalli@example.org"

    async def another(phone: str) -> str:
        return await refer(here, "Maria Grazia", "Fumagalli-Brambilla", birth_year="1970", email=email, phone=phone)

    one, other, _ = [await another(phone) for phone in ("+393331234567", "+393331234567", "+393337654321")]
    await level(here)
    async with seen(here, Role.OPERATOR) as site:
        await site.looked.page.set_viewport_size(size)
        await compare(site, one, other)
        assert site.wrong == []
        assert site.complaints == []


@pytest.mark.parametrize("size", [NARROW, pytest.param(DESK, marks=pytest.mark.long)], ids=["narrow", "wide"])
async def test_the_pages_about_people_fit_the_screen_and_axe_finds_nothing(here: Site, size: Any) -> None:
    new, waits = await peopled(here)
    async with seen(here, Role.OPERATOR) as site:
        await site.looked.page.set_viewport_size(size)
        await walk(site, new, waits)
        assert site.wrong == []
        assert site.complaints == []
