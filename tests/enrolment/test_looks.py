"""The pages of a referrer and of a worker in a real browser: on a narrow screen, judged by axe, in every state that one reaches."""

from collections.abc import AsyncIterator

import pytest_asyncio

from enrolment import commands as do
from services.contracts.enrolment import LinkPurpose
from services.identity.auth import Role
from services.settings import Settings
from tests.enrolment.browsing import seen
from tests.enrolment.participants import refer, somebody, token_of
from tests.enrolment.site import Site, site


@pytest_asyncio.fixture
async def here(own: Settings) -> AsyncIterator[Site]:
    async with site(own.model_copy(update={"services": "http://127.0.0.1:1/{service}"})) as found:
        yield found


async def test_the_pages_of_a_referrer_fit_a_narrow_screen_and_axe_finds_nothing(here: Site) -> None:
    async with seen(here, Role.REFERRER, partner=here.partner) as site:
        page = site.looked.page
        await site.open("/segnalazioni")
        await site.open("/segnalazioni/nuova")
        await site.press("Controllare le risposte")
        assert await page.evaluate("document.activeElement.id") == "errors"
        await page.get_by_label("Nome", exact=True).fill("Nicolò")
        await page.get_by_label("Cognome").fill("D'Angelo")
        await page.get_by_label("Numero di telefono").fill("333 123 4567")
        await page.get_by_label("Partecipare al programma").check()
        await page.get_by_label("Con una firma su carta").check()
        await site.press("Controllare le risposte")
        await site.press("Cambiare le risposte")
        assert await page.get_by_label("Cognome").input_value() == "D'Angelo"
        await site.press("Controllare le risposte")
        await site.press("Inviare la segnalazione")
        assert await page.get_by_role("heading", level=1).inner_text() == "Segnalazione inviata"
        await refer(here, 24)
        await here.rows(25)
        await site.open("/segnalazioni")
        await site.open("/segnalazioni/nobody/ricevuta")
        assert (site.wrong, site.complaints) == ([], [])


async def test_the_pages_of_a_worker_fit_a_narrow_screen_and_axe_finds_nothing(here: Site) -> None:
    worker = await somebody(here)
    async with here.client(Role.OPERATOR) as operator:
        await operator.get(f"/workers/{worker}")
    async with seen(here, Role.WORKER, worker) as site:
        for path in ("/me", "/me/dati", "/me/contatti", "/me/accessi", "/me/scarica", "/me/consensi"):
            await site.open(path)
        await site.looked.page.get_by_role("group", name="Aiutare a capire").get_by_label("Sì").check()
        await site.press("Continua")
        await site.press("Salva le mie scelte")
        for step in ("lascia", "cancella"):
            await site.open(f"/me/{step}")
            await site.press("Inviami il messaggio per confermare")
        assert (site.wrong, site.complaints) == ([], [])
    confirms = {each: await token_of(here, worker, each) for each in (LinkPurpose.LEAVE, LinkPurpose.ERASE)}
    async with seen(here, None) as site:
        await site.open(f"/me/conferma/{confirms[LinkPurpose.LEAVE]}")
        await site.press("Lascia il programma")
        await site.looked.page.get_by_label("Ho trovato lavoro").check()
        await site.press("Lascia il programma")
        await site.open(f"/me/conferma/{confirms[LinkPurpose.ERASE]}")
        await site.press("Cancella per sempre i miei dati")
        await site.open(f"/me/conferma/{confirms[LinkPurpose.ERASE]}")
        assert (site.wrong, site.complaints) == ([], [])


async def test_whom_no_message_reaches_sees_pages_that_fit_too(here: Site) -> None:
    made = await here.do(do.refer, do.Refer(partner=here.partner, card={"given_name": "Ada", "family_name": "Prova"}))
    async with seen(here, Role.WORKER, made["worker"]) as site:
        for path in ("/me", "/me/dati", "/me/consensi", "/me/accessi", "/me/lascia", "/me/cancella"):
            await site.open(path)
        assert (site.wrong, site.complaints) == ([], [])


async def test_the_pages_about_rights_fit_a_narrow_screen_and_axe_finds_nothing(here: Site) -> None:
    worker, gone = await somebody(here), await somebody(here)
    made = await here.do(do.erase, do.Erase(worker=gone))
    async with seen(here, Role.REFERRER, partner=here.partner) as site:
        page = site.looked.page
        await site.open(f"/segnalazioni/{worker}/consensi")
        await page.get_by_role("group", name="Ricevere messaggi").get_by_label("Dice di no").check()
        await page.get_by_label("Con una firma su carta").check()
        await site.press("Continua")
        await site.press("Registrare le decisioni")
        assert "Le decisioni sono registrate" in await page.locator("main").inner_text()
        assert (site.wrong, site.complaints) == ([], [])
    async with seen(here, Role.ADMINISTRATOR, "eva") as site:
        page = site.looked.page
        await site.open("/persone/apri")
        await page.get_by_label("Numero della persona").fill(worker)
        await page.get_by_label("Per rispondere a un reclamo").check()
        await site.press("Apri la scheda")
        assert "ada@example.org" in await page.locator("main").inner_text()
        assert (site.wrong, site.complaints) == ([], [])
    async with seen(here, None) as site:
        await site.open(f"/me/ricevuta/{made['receipt']}")
        assert (site.wrong, site.complaints) == ([], [])
