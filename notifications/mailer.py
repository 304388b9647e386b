"""Sending of messages that are due: claim one, read its content, compose it for its channel, send it, record the outcome, wait between
attempts.

Invariants: each message is sent at least once. A copy that dies after the acceptance and before recording it leaves the message to the next
copy, which sends it under the same Message-ID, or the same key of a gateway. No remote call is made inside a transaction. Nothing in one
message ends the task: a message that cannot be composed is given up with a reason, and the others go on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from notifications import commands as do
from notifications.channels import Channel, Channels, channel_for, channels_of
from notifications.composing import Content
from notifications.contents import content_of
from notifications.domain import Message
from notifications.failures import PermanentFailure, TransientFailure
from notifications.kept_mail import KeptMail
from notifications.mail_format import Uncomposable
from notifications.mail_queue import Claim, MailQueue
from services.kernel import Command, Refused, Unavailable
from services.runtime.service import BackgroundTask, Service
from services.settings import Settings
from services.store.errors import is_transient
from services.store.mongo import PyMongoError

log = logging.getLogger(__name__)
NOWHERE = KeptMail(None)
IDLE = 0.5  # seconds between polls when nothing is due
ATTEMPT = 90.0  # seconds; less than a claim lasts, so that no two copies send one message at one time
DELAYS = [
    timedelta(minutes=each) for each in (1, 5, 15, 60, 180, 480, 1440)
]  # after the first, second … failure; then the message is given up
MISSING = timedelta(seconds=2)  # until the next attempt while a contact card, a key, a meeting or a place is missing
GIVEN_UP = {"past", "contact-refused"}  # refusals for which the message fails; after any other there is nothing to send


def mailing(settings: Settings) -> BackgroundTask:
    """The background task that sends. Misconfigured as `channels_of`."""
    channels, kept = channels_of(settings), KeptMail.of(settings)

    async def mail(service: Service) -> None:
        await _sweep(service, kept)
        if not channels:
            log.warning("AMA_SMTP is not set: messages stay queued", extra={"service": service.name})
            await asyncio.Event().wait()
            return
        queue = MailQueue(service.store)
        while True:
            try:
                if not await send_one(service, queue, channels, kept):
                    await asyncio.sleep(IDLE)
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                log.warning("mailer starts again", extra={"service": service.name, "error": type(error).__name__})
                await asyncio.sleep(IDLE)
            except Exception:  # of one message, which stays claimed: the others go on
                log.exception("message cannot be handled", extra={"service": service.name})
                await asyncio.sleep(IDLE)

    return mail


async def _sweep(service: Service, kept: KeptMail) -> None:
    """`_keep_known` at the start, however long the database is away. A folder that cannot be read keeps no mail back."""
    while True:
        try:
            return await _keep_known(service, kept)
        except PyMongoError as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(IDLE)
        except OSError:
            log.exception("kept mails cannot be read", extra={"service": service.name})
            return None


async def _keep_known(service: Service, kept: KeptMail) -> None:
    """Remove kept mails whose message is gone: its person was erased, and the erasure did not find the mail."""
    found = await asyncio.to_thread(kept.messages)
    known = service.store[Message.noun].find({"state.id": {"$in": sorted(found)}}, {"state.id": 1}) if found else None
    there = {each["state"]["id"] async for each in known} if known is not None else set()
    await asyncio.to_thread(kept.forget, found - there)


async def send_one(service: Service, queue: MailQueue, channels: Channels, kept: KeptMail = NOWHERE) -> bool:
    """Try to send one message that is due. False when none is due."""
    claimed = await queue.claim(service.rules)
    if claimed is None:
        return False
    channel: Channel[Any] | None = None
    try:
        async with asyncio.timeout(ATTEMPT):
            content = await _read(service, queue, claimed)
            channel = channel_for(content.card, channels)
            await channel.send(_composed(service, channel, content))
    except Unavailable:
        await queue.postpone(claimed, MISSING, counted=False)
    except Refused as refused:
        log.info("message not sent", extra={"service": service.name, "reason": refused.code})
        if refused.code in GIVEN_UP:
            await _fail(service, claimed, refused.code, channel)
    except (TransientFailure, TimeoutError) as failure:
        error = str(failure) or type(failure).__name__
        log.warning("message not taken", extra={"service": service.name, "error": error, "attempt": claimed.tries})
        if claimed.failures >= len(DELAYS):
            await _fail(service, claimed, "undeliverable", channel)
        else:
            await queue.postpone(claimed, DELAYS[claimed.failures])
    except PermanentFailure as failure:
        log.warning("message refused", extra={"service": service.name, "error": str(failure)})
        await _fail(service, claimed, "refused", channel)
    except Uncomposable as fault:
        log.warning("message cannot be composed", extra={"service": service.name, "reason": fault.reason})
        await _fail(service, claimed, fault.reason, channel)
    else:
        await _record_sent(service, claimed, kept, channel.name)
    return True


async def _record_sent(service: Service, claimed: Claim, kept: KeptMail, channel: str) -> None:
    """Record that it was sent. An erasure beside the sending did not find the mail, which had not arrived."""
    sent = do.MarkSent(message=claimed.message.id, tries=claimed.tries, channel=channel)
    if not await _record(service, claimed, do.mark_sent, sent):
        await _keep_known(service, kept)


async def _read(service: Service, queue: MailQueue, claimed: Claim) -> Content:
    """Read the content. Whatever fails, other than an engine, is the fault of this message: Uncomposable."""
    try:
        card = await queue.card_of(claimed.programme, claimed.message.worker)
        rules, base = service.rules[claimed.programme], service.settings.public_url.rstrip("/")
        return await service.commanding.query(content_of, rules, claimed.message.id, card, base)
    except (Refused, Unavailable, Uncomposable, PyMongoError, TimeoutError):
        raise
    except Exception as error:
        log.exception("message cannot be composed", extra={"service": service.name})
        raise Uncomposable("not-composable") from error


def _composed(service: Service, channel: Channel[Any], content: Content) -> Any:
    """Compose it. Whatever fails is the fault of this message: Uncomposable."""
    try:
        return channel.compose(content)
    except Uncomposable:
        raise
    except Exception as error:
        log.exception("message cannot be composed", extra={"service": service.name})
        raise Uncomposable("not-composable") from error


async def _fail(service: Service, claimed: Claim, reason: str, channel: Channel[Any] | None) -> None:
    name = channel.name if channel is not None else None
    failed = do.MarkFailed(message=claimed.message.id, reason=reason, tries=claimed.tries, channel=name)
    await _record(service, claimed, do.mark_failed, failed)


async def _record(service: Service, claimed: Claim, handler: Callable[..., Awaitable[None]], command: Command) -> bool:
    """Record the outcome, however long the database is away: the mail server has answered, and will not be asked again. False: the
    message is gone, or has an outcome."""
    while True:
        try:
            await service.do(handler, command, claimed.programme, claimed.message.correlation)
        except Unavailable:
            await asyncio.sleep(IDLE)
        except Refused as refused:  # erased, or its outcome recorded, in the meantime
            log.info("message is gone", extra={"service": service.name, "reason": refused.code})
            return False
        else:
            return True
