"""The acts of the study, in order. Each has an idempotency key, so that playing it again doubles nobody."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.scenarios.client import CONSENTS, OPERATOR, ScenarioClient
from services.scenarios.pilot.people import HELD_BACK, Human

INTAKE = date(1991, 4, 5)  # the day on which the operator forms groups


async def play(client: ScenarioClient, people: Sequence[Human]) -> None:
    """Play the whole study, from the first referral to the last questionnaire."""
    workers = dict(
        zip(
            (human.number for human in people),
            await client.each("referred", people, lambda h: _refer(client, h)),
            strict=True,
        )
    )
    await client.each("consented", people, lambda h: _consent(client, h, workers[h.number]))
    await client.each("admitted", people, lambda h: _admit(client, h, workers[h.number]))
    await _places_and_facilitators(client)
    # The pool is filled by events: a proposal made earlier would leave people out.
    await client.until("everybody waits or has a seat", lambda: _all_in_the_pool(client, len(people)))
    await _form(client)
    await client.each(
        "first questionnaire", people, lambda h: _answer(client, workers[h.number], "T0", h.before, h.answered_before)
    )
    await _meet(client, {workers[human.number]: human for human in people})
    await client.each(
        "last questionnaire", people, lambda h: _answer(client, workers[h.number], "T2", h.after, h.answered_after)
    )


async def _refer(client: ScenarioClient, human: Human) -> str:
    person = {"given_name": human.given_name, "family_name": human.family_name, "email": human.email, "language": "en"}
    profile = {
        "municipality": human.municipality,
        "travel_km": 400,
        "slots": list(human.slots),
        "gender": human.gender,
        "birth_year": human.birth_year,
        "not_before": None if human.treated else HELD_BACK.isoformat(),
    }
    body = {"person": person, "profile": profile, "at": human.referred.isoformat()}
    who = ("referrer", f"referrer-{human.partner}", human.partner)
    made = await client.act(who, "POST", "/enrolment/referrals", body, f"refer-{human.number}")
    return str(made["worker"])


async def _consent(client: ScenarioClient, human: Human, worker: str) -> None:
    body = {
        "consents": CONSENTS,
        "notice": client.rules.notice.version,
        "language": "en",
        "at": human.consented.isoformat(),
    }
    await client.act(
        ("worker", worker, None), "POST", f"/enrolment/workers/{worker}/consents", body, f"consent-{human.number}"
    )


async def _admit(client: ScenarioClient, human: Human, worker: str) -> None:
    body = {"at": human.admitted.isoformat()}
    await client.act(OPERATOR, "POST", f"/enrolment/workers/{worker}/admission", body, f"admit-{human.number}")


async def _places_and_facilitators(client: ScenarioClient) -> None:
    towns, slots = client.rules.municipalities, [slot.id for slot in client.rules.slots]

    async def place(number: int) -> None:
        town = towns[number % len(towns)]
        body = {
            "title": f"{town.name} Public Library",
            "address": f"Main Street, {town.name}",
            "municipality": town.id,
            "rooms": 2,
        }
        await client.act(OPERATOR, "PUT", f"/grouping/places/library-{town.id}", {**body, "access": True})

    async def facilitator(number: int) -> None:
        free = [slot for at, slot in enumerate(slots) if (at + number) % 3]
        body = {"municipality": towns[number % len(towns)].id, "travel_km": 400, "slots": free, "groups": 2}
        await client.act(OPERATOR, "PUT", f"/grouping/facilitators/trainer-{number:02}", body)

    await client.each("places", range(len(towns)), place)
    await client.each("facilitators", range(30), facilitator)


async def _all_in_the_pool(client: ScenarioClient, number: int) -> bool:
    pool = await client.act(OPERATOR, "GET", "/grouping/pool")
    return bool(pool["waiting"] + pool["seated"] == number)


async def _form(client: ScenarioClient) -> None:
    """Ask for proposals and confirm each group, until nobody else can get a seat on this day."""
    while True:
        proposal = await client.act(
            OPERATOR, "POST", "/grouping/proposals", {"on": INTAKE.isoformat(), "seed": client.seed}
        )
        if not proposal["groups"]:
            return
        at = datetime(INTAKE.year, INTAKE.month, INTAKE.day, 15, tzinfo=UTC).isoformat()

        async def confirm(group: dict[str, Any], at: str = at) -> None:
            # The members identify a group; its place in a proposal does not.
            key = hashlib.sha256("".join(group["members"]).encode()).hexdigest()[:16]
            await client.act(OPERATOR, "POST", "/grouping/groups", {**group, "at": at}, f"group-{key}")

        await client.each("groups formed", proposal["groups"], confirm)


async def _answer(client: ScenarioClient, worker: str, wave: str, score: float, at: datetime) -> None:
    """Answer a survey once the worker is invited: the invitation may still be on its way from the admission."""
    path = f"/sessions/workers/{worker}/surveys/jobs2-depression/{wave}"
    body = {"answers": {"score": score}, "at": at.isoformat()}

    async def answered() -> bool:
        outcome = await client.act(
            ("worker", worker, None),
            "PUT",
            path,
            body,
            # `submitted-already`: the study is played again, or a request was repeated.
            also=["no-such-survey", "not-open", "no-consent", "submitted-already"],
        )
        return outcome in {"done", "submitted-already"}

    await client.until(f"{wave} of worker {worker}", answered)


async def _meet(client: ScenarioClient, humans: dict[str, Human]) -> None:
    """Call the roll of every meeting of every group, by its facilitator, at the end of the meeting."""
    groups = await client.act(OPERATOR, "GET", "/grouping/groups")
    calls: list[tuple[str, dict[str, Any]]] = []

    async def calendar(group: dict[str, Any]) -> None:
        leader = ("facilitator", group["facilitator"], None)
        path, found = f"/sessions/groups/{group['group']}/sessions", list[Any]()

        async def all_there() -> bool:
            read = await client.act(leader, "GET", path, also=["no-such-group"])
            found[:] = read if isinstance(read, list) else []
            if len(found) < client.rules.meetings:
                return False
            # Members arrive by other events than the calendar: a roll that is called earlier would lack some.
            expected = await client.act(leader, "GET", f"/sessions/sessions/{found[0]['session']}")
            return bool(len(expected["members"]) == group["members"])

        await client.until(f"the meetings of group {group['group']}", all_there)
        calls.extend((group["facilitator"], meeting) for meeting in found)

    await client.each("calendars read", groups, calendar)

    async def roll(call: tuple[str, dict[str, Any]]) -> None:
        leader, meeting = ("facilitator", call[0], None), call[1]
        expected = await client.act(leader, "GET", f"/sessions/sessions/{meeting['session']}")
        present = [worker for worker in expected["members"] if meeting["number"] in humans[worker].meetings]
        after = datetime.fromisoformat(meeting["starts"]) + timedelta(minutes=client.rules.session_minutes)
        body = {"present": present, "at": after.isoformat()}
        await client.act(leader, "PUT", f"/sessions/sessions/{meeting['session']}/roll-call", body)

    await client.each("rolls called", sorted(calls, key=lambda call: str(call[1]["starts"])), roll)
