"""The smoke test: three invented people go from referral to a meeting, through the public interfaces alone.

Invariant: they are in a programme of their own, so that no other programme's figure changes; they are erased, also when a step fails.
"""

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from services.contracts.topics import SERVICES
from services.scenarios.client import CONSENTS, OPERATOR, Caller, ScenarioClient, ScenarioFailed

PROGRAMME, PARTNER = "smoke", "prova"
REFERRER: Caller = ("referrer", "smoke-desk", PARTNER)
ADMINISTRATOR: Caller = ("administrator", "smoke", None)
ADMITTED = 3 * 2  # entries of the feed: a referral and an admission for each of three people
SEATED = ADMITTED + 3
ERASED = SEATED + 3
# Refusals that end by themselves, once an event has arrived that another service published.
NOT_YET = ["no-such-survey", "not-open", "no-such-group", "no-such-seeker", "not-waiting", "not-a-member", "no-consent"]
ReportStep = Callable[[str], None]


async def smoke(client: ScenarioClient, report: ReportStep) -> None:
    """Run all steps and report each. Raises ScenarioFailed at the first step that fails, and at once when a service does not answer;
    httpx's errors when a service stops answering on the way."""
    await _all_there(client)
    people, entries = await _figures(client), await _ledger(client)
    workers: list[str] = []
    try:
        for number in range(3):
            await _enrol(client, number, workers)
        report("three people are referred, consent and are admitted")
        session = await _seat(client, workers)
        report("they have seats in a group, and its meeting is in the calendar")
        await _attend(client, session, workers)
        report("the roll of their meeting is called, and they answer a survey")
        await client.until("the partner's feed has their steps", lambda: _delivered(client, entries + SEATED))
        report("their partner's feed has their steps")
        await client.until("the figures count them", lambda: _counted(client, people + 3, people + 3))
        report("the figures count them")
    finally:
        for worker in workers:
            await _erase(client, worker)
    # At most as many as before, not exactly: another run may erase its own people meanwhile.
    await client.until("the figures no longer count them", lambda: _counted(client, 0, people))
    await client.until("the partner's feed has the erasures", lambda: _delivered(client, entries + ERASED))
    report("they are erased, in the figures and in the feed as well")


async def _all_there(client: ScenarioClient) -> None:
    """Refuse to begin while a service is away: a request to it would be repeated for minutes."""
    there = await asyncio.gather(*(client.answers(f"/{service}/openapi.json") for service in SERVICES))
    if away := [service for service, answers in zip(SERVICES, there, strict=True) if not answers]:
        raise ScenarioFailed(f"no answer from {', '.join(away)}")


async def _enrol(client: ScenarioClient, number: int, workers: list[str]) -> None:
    """Refer, consent, admit. The worker is in the list as soon as they are referred, so that a later failure erases them too."""
    # Free in every slot, so that they can also meet in that of yesterday's weekday.
    slots = [slot.id for slot in client.rules.slots]
    body = {
        "partner": PARTNER,
        "person": {"given_name": "Prova", "family_name": f"Numero {number + 1}"},
        "profile": {"municipality": "monza", "slots": slots},
    }
    made = await client.act(REFERRER, "POST", "/enrolment/referrals", body, f"refer-{number}")
    worker = str(made["worker"])
    workers.append(worker)
    # No contact, so that no message goes to invented people.
    consents = {"consents": {**CONSENTS, "contact": False}, "notice": client.rules.notice.version}
    await client.act(("worker", worker, None), "POST", f"/enrolment/workers/{worker}/consents", consents)
    await client.act(OPERATOR, "POST", f"/enrolment/workers/{worker}/admission")


async def _seat(client: ScenarioClient, workers: list[str]) -> str:
    """Form a group of them that met yesterday. Returns the id of its meeting."""
    # A roll can be called only after the meeting has started, so the first meeting is in the past.
    yesterday = client.rules.day_of(datetime.now(UTC)) - timedelta(days=1)
    slot = next(slot for slot in client.rules.slots if slot.isoweekday == yesterday.isoweekday())
    # A name of this run: a facilitator of another run may be taken at that hour.
    name = f"smoke-{client.seed:x}"
    place = {"title": "Prova", "address": "Nessuna", "municipality": "monza"}
    await client.act(OPERATOR, "PUT", f"/grouping/places/{name}", place)
    leader = {"municipality": "monza", "slots": [slot.id]}
    await client.act(OPERATOR, "PUT", f"/grouping/facilitators/{name}-leader", leader)
    where = {"slot": slot.id, "place": name, "facilitator": f"{name}-leader", "first": yesterday.isoformat()}
    found: list[Any] = []

    async def formed() -> bool:
        made = await client.act(OPERATOR, "POST", "/grouping/groups", {"members": workers, **where}, also=NOT_YET)
        found[:] = [made["group"]] if isinstance(made, dict) else []
        return bool(found)

    await client.until("they can get seats", formed)
    path = f"/sessions/groups/{found[0]}/sessions"

    async def scheduled() -> bool:
        read = await client.act(_leader(client), "GET", path, also=NOT_YET)
        found[:] = read if isinstance(read, list) else []
        return bool(found)

    await client.until("their meeting is scheduled", scheduled)
    return str(found[0]["session"])


def _leader(client: ScenarioClient) -> Caller:
    return ("facilitator", f"smoke-{client.seed:x}-leader", None)


async def _attend(client: ScenarioClient, session: str, workers: list[str]) -> None:
    roll = {"present": workers[:2]}

    async def called() -> bool:
        path = f"/sessions/sessions/{session}/roll-call"
        return bool(await client.act(_leader(client), "PUT", path, roll, also=NOT_YET) == "done")

    await client.until("its roll can be called", called)
    answers = {"answers": {f"i{number}": 3 for number in range(1, 6)}}
    for worker in workers:

        async def answered(worker: str = worker) -> bool:
            path = f"/sessions/workers/{worker}/surveys/who5/T0"
            return bool(await client.act(("worker", worker, None), "PUT", path, answers, also=NOT_YET) == "done")

        await client.until("they are invited to the survey", answered)


async def _erase(client: ScenarioClient, worker: str) -> None:
    # A request that was repeated after a lost connection finds the person erased by the first one.
    await client.act(ADMINISTRATOR, "DELETE", f"/enrolment/workers/{worker}", also=["erased"])


async def _figures(client: ScenarioClient) -> int:
    """Number of people in the programme's figures."""
    return int((await client.act(OPERATOR, "GET", "/analytics/indicators?scores=false"))["referred"])


async def _counted(client: ScenarioClient, least: int, most: int) -> bool:
    return least <= await _figures(client) <= most


async def _ledger(client: ScenarioClient) -> int:
    """Number of entries in the partner's ledger."""
    return int((await _feed(client))["last"])


async def _delivered(client: ScenarioClient, last: int) -> bool:
    """Tell whether the ledger has so many entries, all of them on the partner's topic."""
    feed = await _feed(client)
    return bool(feed["last"] >= last and feed["delivered"] == feed["last"])


async def _feed(client: ScenarioClient) -> dict[str, Any]:
    feeds: list[dict[str, Any]] = await client.act(OPERATOR, "GET", "/notifications/feeds")
    return next(each for each in feeds if each["partner"] == PARTNER)


def new_seed() -> int:
    """A seed that no other run has."""
    return secrets.randbelow(2**32) ^ int(datetime.now(UTC).timestamp())
