"""From a seat to a mail in a mailbox, through four services, a bus and a mail server that are real."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifications import mailer
from notifications.channels import channels_of
from notifications.contents import content_of
from notifications.domain import Status
from notifications.mail_queue import MailQueue
from services.contracts.enrolment import Purpose
from services.runtime.service import Service, running
from tests.helpers.mail_server import Taker, taking
from tests.helpers.own_programme import World
from tests.helpers.poison import poison, stopped
from tests.helpers.waiting import eventually

Teller = Callable[..., Service]
pytestmark = pytest.mark.usefixtures("scheduling")


async def took(taker: Taker, number: int = 1) -> None:
    async def there() -> bool:
        return len(taker.taken) >= number

    await eventually(there, 40)


async def message_of(service: Service, worker: str, status: Status) -> dict[str, Any]:
    async def there() -> Any:
        return await service.store["message"].find_one({"state.worker": worker, "state.status": status.value})

    found: dict[str, Any] = await eventually(there, 40)
    return found


async def two_with_a_seat(world: World, *, weeks: int = 2, contact: bool | None = True) -> tuple[str, str, Any]:
    one, other = await world.refer(), await world.refer(email="bice@example.org", given_name="Bice")
    for each in (one, other):
        await world.consent(each, True, Purpose.PARTICIPATION)
        if contact is not None:
            await world.consent(each, contact, Purpose.CONTACT)
        await world.admit(each)
    return one, other, await world.seat(one, other, weeks=weeks)


async def test_who_has_a_seat_reads_place_and_first_meeting(
    world: World, teller: Teller, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("notifications", "services"):  # of all others' there is so much that nothing moves
        caplog.set_level(logging.DEBUG, name)
    with taking() as taker:
        async with running(teller(smtp=taker.address), ["relay", "consume"]) as service:
            one, _, first = await two_with_a_seat(world)
            await took(taker, 2)
            await message_of(service, one, Status.SENT)
            await asyncio.sleep(1)
    assert len(taker.taken) == 2
    mail = next(each for each in taker.taken if each["To"] == "Ada Prova <ada@example.org>")
    body = mail.get_content()
    for part in (f"Primo incontro: giovedì {first.day} ", f"{first.year}, alle ore 18:30", "Casa, via Correggio 59"):
        assert part in body
    ours = [each.getMessage() for each in caplog.records if each.name.startswith(("notifications", "services"))]
    assert "ada@example.org" not in str(ours)


async def test_a_message_waits_for_consent_that_is_unknown(world: World, teller: Teller) -> None:
    with taking() as taker:
        async with running(teller(smtp=taker.address), ["consume"]) as service:
            one, other, _ = await two_with_a_seat(world, contact=None)
            await asyncio.sleep(2)
            assert await service.store["message"].count_documents({"state.worker": {"$in": [one, other]}}) == 0
            await world.consent(one, True, Purpose.CONTACT)
            await took(taker)
            await asyncio.sleep(1)
    assert [each["To"] for each in taker.taken] == ["Ada Prova <ada@example.org>"]


async def test_a_first_meeting_that_is_past_is_not_announced(world: World, teller: Teller) -> None:
    async with running(teller(), ["consume"]) as service:
        one, other, _ = await two_with_a_seat(world, weeks=-8)

        async def seated() -> bool:
            found = await service.store.by_id("recipient", [f"{world.programme}/{each}" for each in (one, other)])
            return sum(bool(each["state"]["seats"]) for each in found.values()) == 2

        await eventually(seated)
        assert await service.store["message"].count_documents({"programme": world.programme}) == 0


async def test_without_a_mail_server_messages_stay_queued_and_withdrawn_consent_drops_them(
    world: World, teller: Teller, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(teller(smtp=None), ["consume"]) as service:
        one, other, _ = await two_with_a_seat(world)
        await message_of(service, one, Status.QUEUED)
        await world.consent(one, False, Purpose.CONTACT)
        await message_of(service, one, Status.DROPPED)
        await message_of(service, other, Status.QUEUED)
        await world.consent(one, True, Purpose.CONTACT)
        await message_of(service, one, Status.QUEUED)
        await world.erase(one)

        async def gone() -> bool:
            return bool(await service.store["message"].count_documents({"state.worker": one}) == 0)

        await eventually(gone)
    assert [each for each in caplog.messages if "AMA_SMTP" in each] == ["AMA_SMTP is not set: messages stay queued"]


async def test_a_message_is_claimed_once_until_it_is_postponed(world: World, teller: Teller) -> None:
    async with running(teller(smtp=None), ["consume"]) as service:
        one, other, _ = await two_with_a_seat(world)
        await message_of(service, one, Status.QUEUED)
        await message_of(service, other, Status.QUEUED)
        queue = MailQueue(service.store)
        claims = await asyncio.gather(*(queue.claim([world.programme]) for _ in range(6)))
        held = [each for each in claims if each is not None]
        assert sorted(each.message.worker for each in held) == sorted([one, other])
        await queue.postpone(held[0], timedelta(0))
        again = await queue.claim([world.programme])
        await service.store["message"].update_many({}, {"$set": {"mail.due": datetime(2026, 1, 1, tzinfo=UTC)}})
        after_a_death = [await queue.claim([world.programme]) for _ in range(2)]
        younger, older = sorted(filter(None, after_a_death), key=lambda each: each.message.id, reverse=True)
        for each in (younger, older):
            await queue.postpone(each, timedelta(0))
        next_ = await queue.claim([world.programme])
    assert next_ is not None
    assert next_.message.id == younger.message.id, "who was put off first is next, not the oldest"
    assert again is not None
    assert (again.message.id, again.tries, again.failures) == (held[0].message.id, 2, 1)
    assert sorted((each.tries, each.failures) for each in after_a_death if each) == [(2, 0), (3, 1)]


async def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_not(
    world: World, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough that on a slow machine, too, the other message is claimed before the first one is due again.
    monkeypatch.setattr(mailer, "DELAYS", [timedelta(seconds=3)] * 2)
    with taking("451 later", "550 no") as taker:
        async with running(teller(smtp=None), ["consume"]) as service:
            one, other, _ = await two_with_a_seat(world)
            await message_of(service, one, Status.QUEUED)
            await message_of(service, other, Status.QUEUED)

            async def settled() -> bool:
                settings = service.settings.model_copy(update={"smtp": taker.address})
                await mailer.send_one(service, MailQueue(service.store), channels_of(settings))
                return bool(
                    await service.store["message"].count_documents(
                        {"programme": world.programme, "state.status": "queued"}
                    )
                    == 0
                )

            await eventually(settled)
            fates = [
                each["state"]
                async for each in service.store["message"].find({"programme": world.programme}).sort("_id", 1)
            ]
    assert sorted((each["status"], each["reason"], each["tries"]) for each in fates if each["reason"]) == [
        ("failed", "refused", 1)
    ]
    assert [each["tries"] for each in fates if each["status"] == "sent"] == [2]


async def test_a_message_whose_worker_has_no_address_fails_with_a_reason(world: World, teller: Teller) -> None:
    with taking() as taker:
        async with running(teller(smtp=taker.address), ["consume"]) as service:
            one, other = await world.refer(email=""), await world.refer()
            for each in (one, other):
                await world.consent(each)
                await world.admit(each)
            await world.seat(one, other)
            failed = await message_of(service, one, Status.FAILED)
    assert failed["state"]["reason"] == "no-address"


async def test_a_card_that_cannot_be_read_fails_its_message_and_no_other(world: World, teller: Teller) -> None:
    with taking() as taker:
        async with running(teller(smtp=None), ["consume"]) as service:
            one, _, _ = await two_with_a_seat(world)
            await message_of(service, one, Status.QUEUED)
            await service.store["contacts"].update_one(
                {"_id": f"{world.programme}/{one}"}, {"$set": {"value": b"\xff no card"}}
            )
        async with running(teller(smtp=taker.address), ["consume"]) as service:
            failed = await message_of(service, one, Status.FAILED)
            await took(taker)
            assert not service.tasks.over
    assert failed["state"]["reason"] == "not-composable"
    assert [each["To"] for each in taker.taken] == ["Bice Prova <bice@example.org>"]


async def test_a_message_that_cannot_be_read_ends_nothing(world: World, teller: Teller) -> None:
    with taking() as taker:
        async with running(teller(smtp=None), ["consume"]) as service:
            one, other, _ = await two_with_a_seat(world)
            await message_of(service, other, Status.QUEUED)
            queued = await message_of(service, one, Status.QUEUED)
            await service.store["message"].update_one({"_id": queued["_id"]}, {"$set": {"state.day": "no day"}})
        async with running(teller(smtp=taker.address), ["consume"]) as service:
            await took(taker)
            assert not service.tasks.over
    assert [each["To"] for each in taker.taken] == ["Bice Prova <bice@example.org>"]


@pytest.mark.parametrize(
    ("card", "reason"),
    [({"email": "niccolò.rossi@example.it"}, "address-not-ascii"), ({"email": "ada@@example.org"}, "no-address")],
    ids=["accent", "two-ats"],
)
async def test_an_address_of_an_old_card_that_cannot_be_written_to_fails_with_a_reason(
    world: World, teller: Teller, card: dict[str, str], reason: str
) -> None:
    with taking() as taker:
        async with running(teller(smtp=taker.address), ["consume"]) as service:
            one, other = await world.refer(**card), await world.refer()
            for each in (one, other):
                await world.consent(each)
                await world.admit(each)
            await world.seat(one, other)
            failed = await message_of(service, one, Status.FAILED)
            await message_of(service, other, Status.SENT)
    assert failed["state"]["reason"] == reason


async def test_a_name_of_an_old_card_that_is_an_attack_changes_nothing_and_ends_nothing(
    world: World, teller: Teller
) -> None:
    with taking() as taker:
        async with running(teller(smtp=taker.address), ["consume"]) as service:
            one = await world.refer(given_name="=?utf-8?b?////?=,")
            other = await world.refer(given_name="=?utf-8?q?A=0D=0AReply-To:x@evil.example=0D=0A?=")
            for each in (one, other):
                await world.consent(each)
                await world.admit(each)
            await world.seat(one, other)
            await took(taker, 2)
            assert not service.tasks.over
    for mail in taker.taken:
        assert mail["Reply-To"] is None
        assert [each.addr_spec for each in mail["To"].addresses] == ["ada@example.org"]


async def test_a_message_that_was_dropped_on_its_way_has_no_content(world: World, teller: Teller) -> None:
    async with running(teller(smtp=None), ["consume"]) as service:
        one, _, _ = await two_with_a_seat(world)
        queued = await message_of(service, one, Status.QUEUED)
        await world.consent(one, False, Purpose.CONTACT)
        await message_of(service, one, Status.DROPPED)
        rules = service.rules[world.programme]
        with pytest.raises(Exception, match="not to be sent"):
            await service.commanding.query(content_of, rules, queued["state"]["id"], None, "http://site")


async def test_a_message_behind_a_dead_letter_is_dropped_when_consent_to_contact_is_withdrawn(
    world: World, teller: Teller
) -> None:
    async with running(teller(smtp=None), ["consume"]) as service:
        one, _, _ = await two_with_a_seat(world)
        await message_of(service, one, Status.QUEUED)
        await poison(world.enrolment, world.programme, one)
        await eventually(lambda: stopped(service, one))
        await world.consent(one, False, Purpose.CONTACT)
        await message_of(service, one, Status.DROPPED)
        assert await stopped(service, one) == ["reactions"]
