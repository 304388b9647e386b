"""The pages of messages for operators: a list by state, and fragments for the page of a person and for the page of today."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from html import unescape
from typing import Any
from unittest.mock import patch

import httpx
import pytest
import pytest_asyncio
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from notifications.domain import Message
from services.identity.auth import Role
from services.runtime.service import Service, running
from tests.helpers.callers import client_as

Teller = Callable[..., Service]
NOW = datetime.now(UTC)
PAGES = ("/messaggi", "/messaggi?stato=in-attesa", "/frammenti/oggi")


class Sent(CommandListener):
    """Lists the commands that read or write messages and accesses."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Note a command about messages, or about the log of accesses."""
        about = event.command.get(event.command_name)
        if about in {"message", "access", "erased", "keys"}:
            self.commands.append(f"{event.command_name} {about}")

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing: a command counts when it is sent."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing, for the same reason."""


@pytest.fixture
def sent() -> Iterator[Sent]:
    listener = Sent()
    with patch("services.store.mongo.AsyncIOMotorClient", partial(AsyncIOMotorClient, event_listeners=[listener])):
        yield listener


@pytest_asyncio.fixture
async def service(sent: Sent, teller: Teller) -> AsyncIterator[Service]:  # before the store is made
    async with running(teller([]), ["api"]) as made:
        yield made


def operator(service: Service, role: Role = Role.OPERATOR) -> httpx.AsyncClient:
    return client_as(service.app, role, str(service.settings.only))


def worker(number: int) -> str:
    return f"019a8c52-6d1e-7b64-9f0a-{number:012x}"


async def put(service: Service, number: int, **state: Any) -> None:
    """Store so many messages, each to another person and a minute older than the one before."""
    programme, documents = str(service.settings.only), []
    for each in range(number):
        told = {"worker": worker(each), "about": "seat", "reference": "g", "day": NOW.date(), "correlation": "c"}
        settled = {"settled": NOW - timedelta(minutes=each)}
        made = Message.model_validate({"id": f"{state['status']}-{each}", **told, **settled, **state})
        document = {"_id": f"{programme}/{made.id}", "programme": programme, "version": 1, "sequences": {}}
        documents.append({**document, "state": made.model_dump(mode="json")})
    await service.store["message"].insert_many(documents)


def shown(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def test_an_operator_sees_what_was_not_delivered_and_why_by_code_and_in_words(service: Service) -> None:
    await put(service, 1, status="failed", reason="no-mobile", about="survey", channel="sms")
    async with operator(service) as client:
        page = await client.get("/messaggi")
        assert page.text.count("<h1") == 1
        assert f'href="/persone/{worker(0)}"' in page.text
        text = shown(page)
        assert "0000-0000 Questionario non consegnato : manca l'indirizzo e-mail, e il telefono non è un cellulare" in (
            text.replace("consegnato:", "consegnato :")
        )
        assert "1 risultato" in text
        assert "tutti i messaggi" not in text
        assert "Non ci sono messaggi in questo stato." in shown(await client.get("/messaggi?stato=inviati"))
        assert (await client.get("/messaggi?stato=altro")).status_code == 422


async def test_a_long_list_is_paged_with_its_total_and_a_page_behind_the_last_leads_back(service: Service) -> None:
    await put(service, 53, status="sent", channel="mail")
    async with operator(service) as client:
        first = await client.get("/messaggi?stato=inviati")
        assert (first.text.count("<tr>"), "53 risultati, pagina 1 di 2" in shown(first)) == (51, True)
        assert 'href="/messaggi?stato=inviati&amp;pagina=2"' in first.text
        second = await client.get("/messaggi?stato=inviati&pagina=2")
        assert second.text.count("<tr>") == 4
        assert "per e-mail" in shown(second)
        beyond = await client.get("/messaggi?stato=inviati&pagina=3")
        assert "Vai alla prima pagina" in shown(beyond)


async def test_the_page_of_a_person_has_their_messages_in_words_and_the_read_is_logged(service: Service) -> None:
    await put(service, 1, status="sent", channel="sms", about="personal-link")
    await put(service, 1, status="held", about="survey", settled=None)
    async with operator(service) as client:
        part = await client.get("/frammenti/messaggi", params={"worker": worker(0)})
        assert part.text.count("<li>") == 2
        assert "<html" not in part.text
        text = shown(part)
        assert re.search(r"Questionario : in attesa del consenso", text)
        assert re.search(r"Collegamento alla pagina personale : inviato per SMS \( \w+ \d+ \w+, ore \d\d:\d\d \)", text)
        nobody = await client.get("/frammenti/messaggi", params={"worker": worker(7)})
        assert "non è stato inviato nessun messaggio" in shown(nobody)


async def test_today_names_the_first_failures_of_late_with_their_number(service: Service) -> None:
    async with operator(service) as client:
        assert "Niente da fare qui" in shown(await client.get("/frammenti/oggi"))
        await put(service, 24, status="failed", reason="refused")
        old = {"id": "old", "settled": NOW - timedelta(days=20)}
        await put(service, 1, status="failed", reason="refused", **old)
        part = await client.get("/frammenti/oggi")
        assert (part.text.count("<li>"), "24 messaggi nelle ultime due settimane" in shown(part)) == (20, True)
        assert 'href="/messaggi?stato=non-consegnati"' in part.text


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
async def test_nobody_else_sees_messages(service: Service, role: Role) -> None:
    async with operator(service, role) as client:
        for path in (*PAGES, f"/frammenti/messaggi?worker={worker(0)}"):
            assert (await client.get(path)).status_code == 403


async def test_a_page_sends_no_more_statements_for_many_messages_than_for_a_page_of_them(
    service: Service, sent: Sent
) -> None:
    async def statements(path: str) -> list[str]:
        sent.commands.clear()
        async with operator(service) as client:
            assert (await client.get(path)).status_code == 200
        return list(sent.commands)

    for status in ("failed", "held"):
        await put(service, 50, status=status, reason="refused")
    for path in PAGES:
        await statements(path)  # the first look fetches what later ones remember
    few = {path: await statements(path) for path in PAGES}
    for status in ("failed", "held"):
        await service.store["message"].delete_many({"state.status": status})
        await put(service, 400, status=status, reason="refused")
    assert {path: await statements(path) for path in PAGES} == few
    assert all(few.values())
