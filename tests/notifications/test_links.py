"""From an invitation or a personal link to a message with its address, through services, a bus and servers that are real."""

import asyncio
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from enrolment.domain import Asking, Worker
from enrolment.intake import commands as intake
from enrolment.personal.commands import OpenRecord, open_record
from notifications.domain import Status
from services.contracts.enrolment import LinkPurpose, PersonalLinkIssued, Purpose
from services.contracts.rights import Opening
from services.kernel import Command
from services.programmes.instruments import load_all
from services.runtime.service import Service, running
from services.store.work import Work
from sessions.commands import SubmitSurvey, submit_survey
from tests.helpers.mail_server import Taker, taking
from tests.helpers.own_programme import World
from tests.helpers.waiting import eventually

Teller = Callable[..., Service]
ANSWERS = {item.id: "3" for item in load_all()["ama-own"].items}
SITE = "https://ama.example.org"


class Issue(Command):
    worker: str
    purpose: LinkPurpose
    token: str
    expires: datetime


async def issue(command: Issue, work: Work) -> None:
    told = PersonalLinkIssued.model_validate(command.model_dump(include={"worker", "purpose", "token", "expires"}))
    (await work.get(Worker, command.worker)).says(told)


async def issued(world: World, worker: str, purpose: LinkPurpose, lasts: timedelta = timedelta(minutes=30)) -> str:
    """Issue a personal link; returns its token."""
    token = secrets.token_urlsafe(32)
    await world.enrol(issue, Issue(worker=worker, purpose=purpose, token=token, expires=datetime.now(UTC) + lasts))
    return token


async def admitted(world: World, *purposes: Purpose, **card: str) -> str:
    worker = await world.refer(**card)
    await world.consent(worker, True, Purpose.PARTICIPATION, *purposes)
    await world.admit(worker)
    return worker


async def message_of(service: Service, worker: str, status: Status, about: str = "survey") -> dict[str, Any]:
    async def there() -> Any:
        where = {"state.worker": worker, "state.status": status.value, "state.about": about}
        return await service.store["message"].find_one(where)

    found: dict[str, Any] = await eventually(there, 60)
    state: dict[str, Any] = found["state"]
    return state


async def took(taker: Taker, number: int = 1) -> None:
    async def there() -> bool:
        return len(taker.taken) >= number

    await eventually(there, 60)


async def test_whoever_consents_is_mailed_a_link_that_opens_their_survey_and_the_token_is_kept_no_longer(
    world: World, teller: Teller, scheduling: Service
) -> None:
    with taking() as taker:
        async with running(teller(smtp=taker.address, public_url=f"{SITE}/"), ["relay", "consume"]) as service:
            worker = await admitted(world, Purpose.CONTACT, Purpose.RESEARCH, language="en")
            await took(taker)
            sent = await message_of(service, worker, Status.SENT)
            (mail,) = taker.taken
            (link,) = re.findall(
                rf"(?m)^{SITE}(/questionario/[A-Za-z0-9_-]{{43}})$", mail.get_content().replace("\r", "")
            )
            transport = httpx.ASGITransport(scheduling.app)
            async with httpx.AsyncClient(transport=transport, base_url=SITE) as browser:
                assert (await browser.get(link)).status_code == 200
                assert (await browser.post(link, data=ANSWERS)).status_code == 303
                assert "arrived" in (await browser.get(link, params={"lang": "en"})).text
    assert mail["Subject"] == "How are things? A short questionnaire for you"
    assert (sent["sealed"], sent["channel"], sent["settled"] is not None) == (None, "mail", True)


async def test_a_link_waits_for_consent_to_contact_and_is_not_sent_once_it_is_answered(
    world: World, teller: Teller, scheduling: Service
) -> None:
    async with running(teller(smtp=None), ["consume"]) as service:
        worker, other = await admitted(world, Purpose.RESEARCH), await admitted(world, Purpose.RESEARCH)
        held = await message_of(service, worker, Status.HELD)
        assert held["sealed"]
        await message_of(service, other, Status.HELD)
        await world.consent(worker, True, Purpose.CONTACT)
        await message_of(service, worker, Status.QUEUED)
        await world.consent(worker, False, Purpose.CONTACT)
        await message_of(service, worker, Status.HELD)
        await world.consent(worker, True, Purpose.CONTACT)
        await message_of(service, worker, Status.QUEUED)
        answer = {item: float(value) for item, value in ANSWERS.items()}
        submit = SubmitSurvey(worker=worker, instrument="ama-own", wave="T0", answers=answer)
        await scheduling.do(submit_survey, submit, world.programme)
        dropped = await message_of(service, worker, Status.DROPPED)
        assert dropped["sealed"] is None
        await world.withdraw(other)
        assert (await message_of(service, other, Status.DROPPED))["sealed"] is None


async def test_whoever_has_a_telephone_alone_gets_a_text_message_which_an_erasure_removes(
    world: World, teller: Teller, scheduling: Service, tmp_path: Path
) -> None:
    folder = tmp_path / "texts"
    with taking() as taker:
        given = {"smtp": taker.address, "sms": folder.as_uri(), "public_url": SITE}
        async with running(teller(**given), ["relay", "consume"]) as service:
            card = {"email": "", "phone": "+393331234567"}
            worker = await admitted(world, Purpose.CONTACT, Purpose.RESEARCH, **card)
            fixed = await admitted(world, Purpose.CONTACT, Purpose.RESEARCH, email="", phone="+390391234567")
            assert (await message_of(service, worker, Status.SENT))["channel"] == "sms"
            failed = await message_of(service, fixed, Status.FAILED)
            (file,) = folder.iterdir()
            told = orjson.loads(file.read_bytes())
            await world.erase(worker)

            async def gone() -> bool:
                return not list(folder.iterdir()) and not await service.store["message"].count_documents(
                    {"state.worker": worker}
                )

            await eventually(gone, 60)
    assert taker.taken == []
    assert told["to"] == "+393331234567"
    assert re.search(rf"{SITE}/questionario/[A-Za-z0-9_-]{{43}}$", told["text"])
    assert (failed["reason"], failed["sealed"]) == ("no-mobile", None)


async def test_whoever_asks_to_take_part_gets_the_link_at_their_address_without_any_consent_and_then_it_is_forgotten(
    world: World, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "takes_requests", lambda rules: rules.partners[0].id)  # this programme has no lead
    with taking() as taker:
        async with running(teller(smtp=taker.address, public_url=SITE), ["relay", "consume"]) as service:
            await world.enrol(intake.ask, intake.Ask(card={"email": "nuova@example.org", "language": "it"}))
            await took(taker)
            (mail,) = taker.taken

            async def sent() -> Any:
                return await service.store["message"].find_one({"state.about": "self-referral", "state.status": "sent"})

            message = (await eventually(sent))["state"]
            await world.enrol(end_now, intake.EndAsking(asking=message["worker"]))

            async def gone() -> bool:
                return not await service.store["message"].count_documents({"state.worker": message["worker"]})

            await eventually(gone)
    assert mail["To"] == "nuova@example.org"
    assert re.search(rf"(?m)^{SITE}/partecipa/[A-Za-z0-9_-]{{43}}$", mail.get_content().replace("\r", ""))
    assert message["sealed"] is None


async def end_now(command: intake.EndAsking, work: Work) -> None:
    """End a request before its time."""
    found = await work.get(Asking, command.asking)
    found.end()
    await work.destroy_key(found)


async def test_a_personal_link_is_sent_at_once_by_its_purpose_and_a_newer_one_replaces_it(
    world: World, teller: Teller
) -> None:
    worker = await admitted(world, Purpose.CONTACT)
    async with running(teller(smtp=None), ["consume"]) as service:
        await issued(world, worker, LinkPurpose.ME)
        await message_of(service, worker, Status.QUEUED, "personal-link")
        await issued(world, worker, LinkPurpose.ERASE, timedelta(seconds=-5))
        me = await issued(world, worker, LinkPurpose.ME)
        await message_of(service, worker, Status.DROPPED, "personal-link")
        leave = await issued(world, worker, LinkPurpose.LEAVE)
        queued = await message_of(service, worker, Status.QUEUED, "confirm-leave")
        assert leave not in str(queued)
    with taking() as taker:
        async with running(teller(smtp=taker.address, public_url=SITE), ["consume"]) as service:
            await took(taker, 2)
            await message_of(service, worker, Status.SENT, "confirm-leave")
            await asyncio.sleep(1)
            assert await service.store["message"].count_documents({"state.sealed": {"$nin": [None]}}) == 0
    bodies = {mail["Subject"]: mail.get_content() for mail in taker.taken}
    assert f"{SITE}/entra/{me}\n" in bodies["La tua pagina personale"].replace("\r", "")
    assert f"{SITE}/me/conferma/{leave}\n" in bodies["Conferma che vuoi lasciare il percorso"].replace("\r", "")
    assert len(taker.taken) == 2


async def test_a_personal_link_for_somebody_who_refuses_contact_fails_with_a_reason_that_is_shown(
    world: World, teller: Teller
) -> None:
    worker = await admitted(world)
    await world.consent(worker, False, Purpose.CONTACT)
    with taking() as taker:
        async with running(teller(smtp=taker.address), ["consume"]) as service:
            await issued(world, worker, LinkPurpose.ME)
            failed = await message_of(service, worker, Status.FAILED, "personal-link")
    assert (failed["reason"], failed["sealed"], taker.taken) == ("contact-refused", None, [])


async def test_whose_record_was_opened_is_told_unless_they_refuse_messages(world: World, teller: Teller) -> None:
    worker, silent = await admitted(world, Purpose.CONTACT), await admitted(world)
    await world.consent(silent, False, Purpose.CONTACT)
    with taking() as taker:
        async with running(teller(smtp=taker.address), ["consume"]) as service:
            for each in (silent, worker):
                await world.enrol(open_record, OpenRecord(worker=each, reason=Opening.AUTHORITY))
            await message_of(service, worker, Status.SENT, "record-opened")
            assert await service.store["message"].count_documents({"state.worker": silent}) == 0
    (mail,) = taker.taken
    assert mail["Subject"] == "La tua scheda è stata aperta"
    assert "perché l'ha ordinato un'autorità" in mail.get_content().replace("\r\n", " ").replace("\n", " ")
