"""The deployment of a campaign: engines, an issuer, a mail server and the copies of the services. All of it ends with the campaign."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from services import vault
from services.contracts.topics import SERVICES
from services.engines.ports import free_port
from services.identity.issuer import Issuer
from services.runtime import serving
from tests.system.chaos.driver import Caller, Driver
from tests.system.chaos.engines import NAMES, Engines
from tests.system.chaos.fleet import COPIES, Fleet
from tests.system.chaos.oracle.evidence import Evidence

PROGRAMME = "monza-brianza"
Say = Callable[[str], None]


@dataclass
class Mailbox:
    """Messages that a mail server took: their Message-ID and recipient."""

    taken: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Take a message, as aiosmtpd asks."""
        content = envelope.original_content or b""
        id = next(line for line in content.split(b"\r\n") if line.lower().startswith(b"message-id:"))
        self.taken += [(id.split(b":", 1)[1].strip().decode(), to) for to in envelope.rcpt_tos]
        return "250 taken"


@dataclass
class Deployment:
    """All parts of the deployment. The killer uses `runs`, `kill`, `freeze`, `thaw` and `start`, by name."""

    folder: Path
    engines: Engines
    fleet: Fleet
    driver: Driver
    mailbox: Mailbox
    say: Say

    def evidence(self) -> Evidence:
        """Collect the input of the oracle: addresses, files, and the notes of the driver."""
        ledger = self.driver.ledger
        return Evidence(
            kafka=self.engines.addresses["Kafka"],
            mongo=self.engines.addresses["MongoDB"],
            logs=self.engines.data,
            keys=self.folder / "keys",
            programme=PROGRAMME,
            promised=ledger.promised,
            unanswered=list(ledger.waiting.values()),
            broken=ledger.broken,
            messages=self.mailbox.taken,
        )

    def runs(self, name: str) -> bool:
        """Tell if a fault would take effect. Engines always run unless a fault is on them."""
        return name in NAMES or self.fleet.copies[name].runs

    def kill(self, name: str) -> None:
        """Send SIGKILL to an engine or a copy."""
        if name in NAMES:
            self.engines.kill(name)
        else:
            self.fleet.kill(self.fleet.copies[name])

    def freeze(self, name: str) -> None:
        """Send SIGSTOP to a copy."""
        self.fleet.freeze(self.fleet.copies[name])

    def thaw(self, name: str) -> None:
        """Send SIGCONT to a copy."""
        self.fleet.thaw(self.fleet.copies[name])

    async def start(self, name: str) -> None:
        """Start an engine or a copy again."""
        if name not in NAMES:
            self.fleet.start(self.fleet.copies[name])
            return
        began = time.monotonic()
        await asyncio.to_thread(self.engines.start_again, name)
        self.say(f"                  {name} serves again after {time.monotonic() - began:.1f} s")


@asynccontextmanager
async def deployed(
    folder: Path, seed: int, say: Say, copies: Sequence[tuple[str, str]] = COPIES, breach: str | None = None
) -> AsyncIterator[Deployment]:
    """Start everything in an empty folder, and wait until it is ready."""
    async with AsyncExitStack() as held:
        engines = Engines(folder)
        held.callback(engines.stop)
        await asyncio.to_thread(engines.start)
        vault.make_keys(folder / "keys", SERVICES)
        messages = Mailbox()
        mail = Controller(messages, hostname="127.0.0.1", port=free_port())
        mail.start()
        held.callback(mail.stop)
        listening = serving.listen(free_port())
        held.callback(listening.close)
        issuer = Issuer(folder / "keys", f"http://127.0.0.1:{listening.getsockname()[1]}")
        await held.enter_async_context(serving.serving(issuer.app(), listening))
        settings = {
            "AMA_KAFKA": engines.addresses["Kafka"],
            "AMA_MONGO": engines.addresses["MongoDB"],
            "AMA_KEYS": str(folder / "keys"),
            "AMA_ISSUER": issuer.url,
            "AMA_SMTP": f"smtp://127.0.0.1:{mail.port}",
            "AMA_ONLY": PROGRAMME,
        }
        fleet = Fleet(folder, settings, breach)
        held.callback(fleet.stop)
        for service, roles in copies:
            fleet.start(fleet.add(service, roles))
        looking = asyncio.ensure_future(fleet.look_after())
        held.callback(looking.cancel)
        driver = Driver(fleet, lambda who: _token(issuer, who), seed)
        await fleet.ready()
        async with driver:
            yield Deployment(folder, engines, fleet, driver, messages, say)


def _token(issuer: Issuer, who: Caller) -> str:
    return issuer.token(who.role, PROGRAMME, who.subject, who.partner)
