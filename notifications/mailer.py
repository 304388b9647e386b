"""Messages that are due go out: claimed, gathered, composed, handed over, and then said to be.

At least once: a copy that dies between the mail server's yes and ours leaves the message to the next one, which sends it under the
same Message-ID. Nothing remote is called inside a transaction.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from notifications import commands as do
from notifications.composing import Unaddressable, compose
from notifications.mail_queue import Claim, card_of, claim, postpone
from notifications.queries import gather
from notifications.smtp import Later, Never, Server, send
from services.kernel import Command, Refused, Unavailable
from services.runtime.service import Service, Worker
from services.settings import Settings
from services.store.errors import is_transient
from services.store.mongo import PyMongoError

log = logging.getLogger(__name__)
IDLE = 0.5  # seconds between looks when nothing is due
ATTEMPT = 90.0  # seconds; less than a claim is held, so that no two copies hand over one message at one time
DELAYS = [
    timedelta(minutes=each) for each in (1, 5, 15, 60, 180, 480, 1440)
]  # after the first, second … failure; then it is given up
MISSING = timedelta(seconds=2)  # until the next look for a contact card, a key or a place that is on its way
GIVEN_UP = {"past", "no-address"}  # refusals that no later attempt changes; by any other the message is gone already


def mailing(settings: Settings) -> Worker:
    """The worker that sends. Misconfigured when the mail server's address is none."""
    server = Server.of(settings.smtp) if settings.smtp else None

    async def mail(service: Service) -> None:
        if server is None:
            log.warning("AMA_SMTP is not set: messages stay queued", extra={"service": service.name})
            await asyncio.Event().wait()
            return
        while True:
            try:
                if not await send_one(service, server):
                    await asyncio.sleep(IDLE)
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                log.warning("mailer begins again", extra={"service": service.name, "error": type(error).__name__})
                await asyncio.sleep(IDLE)

    return mail


async def send_one(service: Service, server: Server) -> bool:
    """Try the oldest message that is due; whether there was one."""
    claimed = await claim(service.store, service.rules)
    if claimed is None:
        return False
    try:
        async with asyncio.timeout(ATTEMPT):
            await _hand_over(service, server, claimed)
    except Unavailable:
        await postpone(service.store, claimed, MISSING, counted=False)
    except Refused as no:
        log.info("message not sent", extra={"service": service.name, "reason": no.code})
        if no.code in GIVEN_UP:
            await _settle(service, claimed, do.mark_failed, _failed(claimed, no.code))
    except (Later, TimeoutError) as trouble:
        error = str(trouble) or type(trouble).__name__
        log.warning("message not taken", extra={"service": service.name, "error": error, "attempt": claimed.tries})
        if claimed.failures >= len(DELAYS):
            await _settle(service, claimed, do.mark_failed, _failed(claimed, "undeliverable"))
        else:
            await postpone(service.store, claimed, DELAYS[claimed.failures])
    except Never as refusal:
        log.warning("message refused", extra={"service": service.name, "error": str(refusal)})
        await _settle(service, claimed, do.mark_failed, _failed(claimed, "refused"))
    except Unaddressable:
        await _settle(service, claimed, do.mark_failed, _failed(claimed, "no-address"))
    else:
        await _settle(service, claimed, do.mark_sent, do.MarkSent(message=claimed.message.id, tries=claimed.tries))
    return True


async def _hand_over(service: Service, server: Server, claimed: Claim) -> None:
    card = await card_of(service.store, claimed.programme, claimed.message.worker)
    rules = service.rules[claimed.programme]
    gathered = await service.commanding.query(gather, rules, claimed.message.id, card)
    await send(compose(gathered, service.settings.mail_from), server)


def _failed(claimed: Claim, reason: str) -> do.MarkFailed:
    return do.MarkFailed(message=claimed.message.id, reason=reason, tries=claimed.tries)


async def _settle(service: Service, claimed: Claim, handler: Callable[..., Awaitable[None]], command: Command) -> None:
    """Its fate is known and has to be written down, however long the database takes."""
    while True:
        try:
            await service.do(handler, command, claimed.programme, claimed.message.correlation)
        except Unavailable:
            await asyncio.sleep(IDLE)
        except Refused as gone:  # erased, or decided otherwise, while it was on its way
            log.info("message is gone", extra={"service": service.name, "reason": gone.code})
            return
        else:
            return
