"""Does it work, from end to end? Three invented people go from referral to a meeting, through the public interfaces alone.

Invariant: they are in a programme of their own, so that no other programme's figure moves, and whatever happens they are erased.
"""

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from services.contracts.topics import SERVICES
from services.scenarios.pilot.play import CONSENTS, OPERATOR, Stage, Stuck

PROGRAMME, PARTNER = "smoke", "prova"
REFERRER, ADMINISTRATOR = ("referrer", "smoke-desk", PARTNER), ("administrator", "smoke", None)
SIX = 3 * 2  # two steps of three people; a seat makes it nine
NOT_YET = ["no-such-survey", "not-open", "no-such-group", "no-such-seeker", "not-waiting", "not-a-member", "no-consent"]
Tell = Callable[[str], None]


async def smoke(stage: Stage, tell: Tell) -> None:
    """All of it, telling each step that is done. Raises Stuck at the first that is not, and at once when a service does not answer; httpx's
    errors when one does not any more."""
    await _all_there(stage)
    before, told = await _figures(stage), await _ledger(stage)
    workers: list[str] = []
    try:
        for number in range(3):
            await _enrol(stage, number, workers)
        tell("three people are referred, consent and are admitted")
        session = await _seat(stage, workers)
        tell("they sit in a group, and its meeting is in the calendar")
        await _attend(stage, session, workers)
        tell("the roll of their meeting is called, and they answer a survey")
        await stage.until("the partner's feed tells of them", lambda: _delivered(stage, told + SIX + 3))
        tell("their partner's feed tells of them")
        await stage.until("the figures count them", lambda: _counted(stage, before + 3, before + 3))
        tell("the figures count them")
    finally:
        for worker in workers:
            await _erase(stage, worker)
    await stage.until("the figures forget them", lambda: _counted(stage, 0, before))
    await stage.until("the partner's feed tells of the erasures", lambda: _delivered(stage, told + SIX + 6))
    tell("they are erased, and everybody forgets them")


async def _all_there(stage: Stage) -> None:
    """Before anything is tried: a request that nobody answers is sent again for minutes."""
    there = await asyncio.gather(*(stage.answers(f"/{service}/openapi.json") for service in SERVICES))
    if away := [service for service, answers in zip(SERVICES, there, strict=True) if not answers]:
        raise Stuck(f"no answer from {', '.join(away)}")


async def _enrol(stage: Stage, number: int, workers: list[str]) -> None:
    """Whoever is referred is among the workers from then on, to be erased."""
    slots = [slot.id for slot in stage.rules.slots]
    body = {
        "partner": PARTNER,
        "person": {"given_name": "Prova", "family_name": f"Numero {number + 1}"},
        "profile": {"municipality": "monza", "slots": slots},
    }
    made = await stage.act(REFERRER, "POST", "/enrolment/referrals", body, f"refer-{number}")
    worker = str(made["worker"])
    workers.append(worker)
    consents = {"consents": {**CONSENTS, "contact": False}, "notice": stage.rules.notice.version}
    await stage.act(("worker", worker, None), "POST", f"/enrolment/workers/{worker}/consents", consents)
    await stage.act(OPERATOR, "POST", f"/enrolment/workers/{worker}/admission")


async def _seat(stage: Stage, workers: list[str]) -> str:
    """A group of theirs that met yesterday; the id of its meeting."""
    yesterday = stage.rules.day_of(datetime.now(UTC)) - timedelta(days=1)
    slot = next(slot for slot in stage.rules.slots if slot.isoweekday == yesterday.isoweekday())
    name = f"smoke-{stage.seed:x}"
    place = {"title": "Prova", "address": "Nessuna", "municipality": "monza"}
    await stage.act(OPERATOR, "PUT", f"/grouping/places/{name}", place)
    leader = {"municipality": "monza", "slots": [slot.id]}
    await stage.act(OPERATOR, "PUT", f"/grouping/facilitators/{name}-leader", leader)
    where = {"slot": slot.id, "place": name, "facilitator": f"{name}-leader", "first": yesterday.isoformat()}
    found: list[Any] = []

    async def formed() -> bool:
        made = await stage.act(OPERATOR, "POST", "/grouping/groups", {"members": workers, **where}, also=NOT_YET)
        found[:] = [made["group"]] if isinstance(made, dict) else []
        return bool(found)

    await stage.until("they can be seated", formed)
    path = f"/sessions/groups/{found[0]}/sessions"

    async def scheduled() -> bool:
        read = await stage.act(_leader(stage), "GET", path, also=NOT_YET)
        found[:] = read if isinstance(read, list) else []
        return bool(found)

    await stage.until("their meeting is scheduled", scheduled)
    return str(found[0]["session"])


def _leader(stage: Stage) -> tuple[str, str, str | None]:
    return ("facilitator", f"smoke-{stage.seed:x}-leader", None)


async def _attend(stage: Stage, session: str, workers: list[str]) -> None:
    roll = {"present": workers[:2]}

    async def called() -> bool:
        path = f"/sessions/sessions/{session}/roll-call"
        return bool(await stage.act(_leader(stage), "PUT", path, roll, also=NOT_YET) == "done")

    await stage.until("its roll can be called", called)
    answers = {"answers": {f"i{number}": 3 for number in range(1, 6)}}
    for worker in workers:

        async def answered(worker: str = worker) -> bool:
            path = f"/sessions/workers/{worker}/surveys/who5/T0"
            return bool(await stage.act(("worker", worker, None), "PUT", path, answers, also=NOT_YET) == "done")

        await stage.until("they are asked", answered)


async def _erase(stage: Stage, worker: str) -> None:
    await stage.act(ADMINISTRATOR, "DELETE", f"/enrolment/workers/{worker}", also=["erased"])


async def _figures(stage: Stage) -> int:
    """How many people the programme's figures count."""
    return int((await stage.act(OPERATOR, "GET", "/analytics/indicators"))["referred"])


async def _counted(stage: Stage, least: int, most: int) -> bool:
    return least <= await _figures(stage) <= most


async def _ledger(stage: Stage) -> int:
    """How long the partner's ledger is."""
    return int((await _feed(stage))["last"])


async def _delivered(stage: Stage, last: int) -> bool:
    """Whether it is so long, and all of it is on the partner's topic."""
    feed = await _feed(stage)
    return bool(feed["last"] >= last and feed["delivered"] == feed["last"])


async def _feed(stage: Stage) -> dict[str, Any]:
    feeds: list[dict[str, Any]] = await stage.act(OPERATOR, "GET", "/notifications/feeds")
    return next(each for each in feeds if each["partner"] == PARTNER)


def run_of_its_own() -> int:
    """A number that no other run has."""
    return secrets.randbelow(2**32) ^ int(datetime.now(UTC).timestamp())
