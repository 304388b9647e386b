"""A mail that a mail server for trials keeps goes with the person to whom it was sent."""

import threading
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from notifications.domain import Message
from notifications.kept_mail import KeptMail
from services.contracts.enrolment import Purpose
from services.embedded.mailcatcher import catching
from services.runtime.service import Service, running
from services.runtime.serving import listen
from tests.helpers.own_programme import World
from tests.helpers.waiting import eventually

Teller = Callable[..., Service]
pytestmark = pytest.mark.usefixtures("scheduling")


def kept(folder: Path) -> set[str]:
    """The addresses to which the kept mails were sent."""
    mails = [message_from_bytes(each.read_bytes(), policy=default) for each in folder.glob("*/*") if each.is_file()]
    return {address.addr_spec for each in mails for address in each["To"].addresses}


async def two_with_a_seat(world: World) -> tuple[str, str]:
    one, other = await world.refer(), await world.refer(email="bice@example.org")
    for each in (one, other):
        await world.consent(each, True, Purpose.PARTICIPATION, Purpose.CONTACT)
        await world.admit(each)
    await world.seat(one, other)
    return one, other


async def until_kept(folder: Path, *addresses: str) -> None:
    async def so() -> bool:
        return kept(folder) == set(addresses)

    await eventually(so, 40)


async def erased(service: Service, world: World, worker: str) -> None:
    """Erase, and wait until notifications has confirmed it."""
    await world.erase(worker)

    async def done() -> bool:
        found = (await service.store.by_id("erased", [f"{world.programme}/{worker}"])).values()
        return any(each.get("done") for each in found)

    await eventually(done, 40)


async def test_a_confirmed_erasure_leaves_no_mail_and_a_start_none_that_it_missed(
    world: World, teller: Teller, tmp_path: Path
) -> None:
    folder = tmp_path / "mail"
    with catching(folder) as address:
        async with running(teller(smtp=address, mail_folder=folder), ["relay", "consume"]) as service:
            one, other = await two_with_a_seat(world)
            await until_kept(folder, "ada@example.org", "bice@example.org")
            copies = {each: each.read_bytes() for each in folder.glob("new/*")}
            await erased(service, world, one)
            assert kept(folder) == {"bice@example.org"}, "when the erasure is confirmed, the mail is gone"
    for path, content in copies.items():
        path.write_bytes(content)
    async with running(teller(smtp=None, mail_folder=folder), ["consume"]) as service:
        await until_kept(folder, "bice@example.org")
        assert await service.store[Message.noun].count_documents({"state.worker": other}) == 1


class Slow(Mailbox):
    """Keeps a mail when it is let."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.came, self.go_on, self.kept = threading.Event(), threading.Event(), threading.Event()

    async def handle_DATA(self, *given: Any) -> str:  # noqa: N802  # aiosmtpd's name
        self.came.set()
        self.go_on.wait(60)
        answer = str(await super().handle_DATA(*given))
        self.kept.set()
        return answer


async def test_a_mail_that_arrives_beside_the_erasure_is_removed(world: World, teller: Teller, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    with listen(0) as probe:
        port = probe.getsockname()[1]
    slow = Slow(folder)
    controller = Controller(slow, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        told = teller(smtp=f"smtp://127.0.0.1:{port}", mail_folder=folder)
        async with running(told, ["relay", "consume"]) as service:
            one, other = await two_with_a_seat(world)

            async def came() -> bool:
                return slow.came.is_set()

            await eventually(came, 40)
            for each in (one, other):
                await erased(service, world, each)
            assert kept(folder) == set(), "not arrived yet"
            slow.go_on.set()

            async def arrived() -> bool:
                return slow.kept.is_set()

            await eventually(arrived, 40)
            await until_kept(folder)
    finally:
        slow.go_on.set()
        controller.stop()


def test_each_mail_goes_by_its_message_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    for name, text in {
        "a": "Message-ID: <m1@x>\r\n",
        "b": "Message-ID: <m1@x>\r\n",
        "c": "Message-ID: <m2@x>\r\n",
        "d": "",
    }.items():
        (tmp_path / "new" / name).write_text(f"{text}To: a@example.org\r\n\r\nm1\r\n")
    KeptMail(tmp_path).forget({"m1"})
    assert {each.name for each in tmp_path.glob("new/*")} == {"c", "d"}
    KeptMail(tmp_path / "none").forget({"m1"})
    KeptMail(None).forget({"m1"})
