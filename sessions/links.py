"""Personal links to surveys: a background task gives one to each invitation whose instrument has wording.

Invariants: an invitation and its link are two commands, since the key under which a token travels may arrive after the consent that
invites; any number of copies may run the task, because the command decides on the state that the survey has then. A survey of an
instrument without wording is never linked.
"""

import asyncio
import itertools
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from services.contracts.sessions import NOTICE, SurveyLinked
from services.kernel import Unavailable
from services.programmes.instruments import Instrument
from services.runtime.recurring import in_parts
from services.runtime.service import BackgroundTask, Service
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import Document, PyMongoError
from sessions.commands import LinkSurveys, link_surveys
from sessions.domain import Survey
from sessions.replay import restore_links

log = logging.getLogger(__name__)
EVERY = 1.0  # seconds between two looks: somebody may wait for their first questionnaire
AGAIN = 60  # looks after which a survey that failed is tried again
AT_ONCE = 200  # surveys of one command


def linking(instruments: Mapping[str, Instrument]) -> BackgroundTask:
    """The background task, for the instruments with their wording."""
    worded = [each.id for each in instruments.values() if each.languages]

    async def link_invited(service: Service) -> None:
        failed = set[str]()
        for look in itertools.count(1):
            if look % AGAIN == 0:
                failed.clear()
            try:
                left = await _restored(service)
                for programme in list(service.rules):
                    await link_open(service, programme, worded, failed, left)
            except Unavailable as error:
                log.warning("links wait", extra={"service": service.name, "error": type(error).__name__})
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                log.warning("links wait", extra={"service": service.name, "error": type(error).__name__})
            await asyncio.sleep(EVERY)

    return link_invited


async def link_open(
    service: Service, programme: str, worded: Collection[str], failed: set[str], left: Collection[str] = ()
) -> None:
    """Link some of the invitations of this programme that wait for it, but for those `left` out. One that cannot be linked joins the
    `failed`, which are left out as well."""
    rules = service.rules[programme]
    where = {**_waiting(service, programme, worded), "state.id": {"$nin": sorted({*failed, *left})}}
    found = service.store[Survey.noun].find(where, {"state.id": 1}).limit(AT_ONCE)
    surveys = [each["state"]["id"] async for each in found]

    async def link(some: Sequence[str]) -> None:
        try:
            await service.do(link_surveys, LinkSurveys(surveys=tuple(some)), rules.id)
        except (PyMongoError, Unavailable):
            raise
        except Exception:
            if len(some) == 1:
                failed.add(some[0])
            raise

    if surveys:
        await in_parts(service, surveys, link)


async def _restored(service: Service) -> set[str]:
    """After a restore: give surveys the links that were sent since the backup, as their people's keys arrive. Returns those that wait for
    one: they are not linked anew."""
    if not service.store.was_restored:
        return set()
    await restore_links(service)
    found = service.store["recalled"].find({"lost.type": SurveyLinked.type}, {"subject": 1})
    return {each["subject"] async for each in found}


def _waiting(service: Service, programme: str, worded: Collection[str]) -> Document:
    """Invitations that are not long past: wording that is loaded late asks nobody about a time that is over."""
    today = service.rules[programme].day_of(now_utc())
    since = (today - NOTICE).isoformat()
    return {
        "programme": programme,
        "state.unlinked": True,
        "state.instrument": {"$in": sorted(worded)},
        "$or": [
            {"state.due": {"$gte": since}},
            {"state.invited": {"$gte": (today - NOTICE - timedelta(days=1)).isoformat()}},
        ],
    }
