"""Sending of messages that are due: claim one, read its content, compose the mail, send it, record the outcome, wait between attempts.

Invariants: each message is sent at least once. A copy that dies after the mail server's acceptance and before recording it leaves the
message to the next copy, which sends it under the same Message-ID. No remote call is made inside a transaction.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from notifications import commands as do
from notifications.composing import Unaddressable, compose
from notifications.mail_queue import Claim, MailQueue
from notifications.queries import mail_content
from notifications.smtp import PermanentFailure, Server, TransientFailure, send
from services.kernel import Command, Refused, Unavailable
from services.runtime.service import BackgroundTask, Service
from services.settings import Settings
from services.store.errors import is_transient
from services.store.mongo import PyMongoError

log = logging.getLogger(__name__)
IDLE = 0.5  # seconds between polls when nothing is due
ATTEMPT = 90.0  # seconds; less than a claim lasts, so that no two copies send one message at one time
DELAYS = [
    timedelta(minutes=each) for each in (1, 5, 15, 60, 180, 480, 1440)
]  # after the first, second … failure; then the message is given up
MISSING = timedelta(seconds=2)  # until the next attempt while a contact card, a key or a place is missing
GIVEN_UP = {"past", "no-address"}  # refusals for which the message fails; after any other there is nothing left to send


def mailing(settings: Settings) -> BackgroundTask:
    """The background task that sends. Misconfigured when AMA_SMTP is no address of a mail server."""
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
                log.warning("mailer starts again", extra={"service": service.name, "error": type(error).__name__})
                await asyncio.sleep(IDLE)

    return mail


async def send_one(service: Service, server: Server) -> bool:
    """Try to send the oldest message that is due. False when none is due."""
    queue = MailQueue(service.store)
    claimed = await queue.claim(service.rules)
    if claimed is None:
        return False
    try:
        async with asyncio.timeout(ATTEMPT):
            await _send(service, server, queue, claimed)
    except Unavailable:
        await queue.postpone(claimed, MISSING, counted=False)
    except Refused as refused:
        log.info("message not sent", extra={"service": service.name, "reason": refused.code})
        if refused.code in GIVEN_UP:
            await _record(service, claimed, do.mark_failed, _failed(claimed, refused.code))
    except (TransientFailure, TimeoutError) as failure:
        error = str(failure) or type(failure).__name__
        log.warning("message not taken", extra={"service": service.name, "error": error, "attempt": claimed.tries})
        if claimed.failures >= len(DELAYS):
            await _record(service, claimed, do.mark_failed, _failed(claimed, "undeliverable"))
        else:
            await queue.postpone(claimed, DELAYS[claimed.failures])
    except PermanentFailure as failure:
        log.warning("message refused", extra={"service": service.name, "error": str(failure)})
        await _record(service, claimed, do.mark_failed, _failed(claimed, "refused"))
    except Unaddressable:
        await _record(service, claimed, do.mark_failed, _failed(claimed, "no-address"))
    else:
        await _record(service, claimed, do.mark_sent, do.MarkSent(message=claimed.message.id, tries=claimed.tries))
    return True


async def _send(service: Service, server: Server, queue: MailQueue, claimed: Claim) -> None:
    card = await queue.card_of(claimed.programme, claimed.message.worker)
    rules = service.rules[claimed.programme]
    content = await service.commanding.query(mail_content, rules, claimed.message.id, card)
    await send(compose(content, service.settings.mail_from), server)


def _failed(claimed: Claim, reason: str) -> do.MarkFailed:
    return do.MarkFailed(message=claimed.message.id, reason=reason, tries=claimed.tries)


async def _record(service: Service, claimed: Claim, handler: Callable[..., Awaitable[None]], command: Command) -> None:
    """Record the outcome, however long the database is away: the mail server has answered, and will not be asked again."""
    while True:
        try:
            await service.do(handler, command, claimed.programme, claimed.message.correlation)
        except Unavailable:
            await asyncio.sleep(IDLE)
        except Refused as refused:  # erased, or its outcome recorded, in the meantime
            log.info("message is gone", extra={"service": service.name, "reason": refused.code})
            return
        else:
            return
