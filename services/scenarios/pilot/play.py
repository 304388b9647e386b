"""Who does what, in which order: each act is one request, with an Idempotency-Key of its own, so that playing again doubles nobody.

Invariant: between stages it waits for what it can see through the public interfaces, never for a time.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol, Self, TypeVar

import httpx

from services.programmes import Programme
from services.scenarios.pilot.people import HELD_BACK, Human

AT_ONCE = 16  # acts under way at the same time
INTAKE = date(1991, 4, 5)  # the day on which the operator forms groups
LOOK = 15.0  # seconds for somebody to answer who is there
PATIENCE = 90.0  # seconds to wait for what an earlier act must lead to
CONSENTS = {"participation": True, "contact": True, "research": True, "partner-feedback": True}
T = TypeVar("T")
TokenOf = Callable[[str, str, str | None], str]  # role, subject, partner


class Report(Protocol):
    """Tells how far a stage is."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """So many of so many."""


class Stuck(Exception):
    """The services refused an act, or did not get to where an earlier act must lead."""


@dataclass
class Stage:
    """The services as the people of the study meet them."""

    base: str
    token_of: TokenOf
    rules: Programme
    seed: int
    report: Report
    _client: httpx.AsyncClient = field(init=False)
    _tokens: dict[tuple[str, str, str | None], str] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(base_url=self.base, timeout=60, limits=httpx.Limits(max_connections=AT_ONCE))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def act(
        self,
        who: tuple[str, str, str | None],
        method: str,
        path: str,
        body: Any = None,
        key: str | None = None,
        also: Collection[str] = (),
    ) -> Any:
        """One request by one person in one role; asked to come again, or cut off, it does. What it answers ("done" for nothing), or
        the code of a refusal that is among `also`. Stuck when it is refused otherwise."""
        if who not in self._tokens:
            self._tokens[who] = self.token_of(*who)
        headers = {"Authorization": f"Bearer {self._tokens[who]}"}
        if key is not None:
            headers["Idempotency-Key"] = f"{self.rules.id}-{self.seed}-{key}"
        answer = await self._answer(method, path, body, headers)
        for _ in range(30):
            if answer.status_code != 503:
                break
            await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
            answer = await self._answer(method, path, body, headers)
        if answer.is_success:
            return answer.json() if answer.content else "done"
        if (code := answer.json().get("code")) in also:
            return code
        raise Stuck(f"{method} {path}: {answer.status_code} {answer.text[:300]}")

    async def _answer(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        """A connection may end as it is used; what has a key, or changes nothing, may be asked again."""
        for _ in range(3 if "Idempotency-Key" in headers or method != "POST" else 0):
            with suppress(httpx.NetworkError, httpx.RemoteProtocolError):
                return await self._client.request(method, path, json=body, headers=headers)
            await asyncio.sleep(0.5)
        return await self._client.request(method, path, json=body, headers=headers)

    async def answers(self, path: str) -> bool:
        """Whether somebody is there. A door that looks for who could answer does so for ten seconds."""
        try:
            return (await self._client.get(path, timeout=LOOK)).is_success
        except httpx.HTTPError:
            return False

    async def each(self, stage: str, items: Sequence[T], act: Callable[[T], Awaitable[Any]]) -> list[Any]:
        """Everybody acts, so many at once; what each got."""
        gate, done = asyncio.Semaphore(AT_ONCE), 0

        async def one(item: T) -> Any:
            nonlocal done
            async with gate:
                result = await act(item)
            done += 1
            self.report(stage, done, len(items))
            return result

        self.report(stage, 0, len(items))
        async with asyncio.TaskGroup() as together:
            tasks = [together.create_task(one(item)) for item in items]
        return [task.result() for task in tasks]

    async def until(self, what: str, check: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it can be seen."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not await check():
            if asyncio.get_running_loop().time() > deadline:
                raise Stuck(f"not within {PATIENCE:.0f} s: {what}")
            await asyncio.sleep(0.2)


OPERATOR = ("operator", "operator-1", None)


async def play(stage: Stage, people: Sequence[Human]) -> None:
    """The whole study, from the first referral to the last questionnaire."""
    workers = dict(
        zip(
            (human.number for human in people),
            await stage.each("referred", people, lambda h: _refer(stage, h)),
            strict=True,
        )
    )
    await stage.each("consented", people, lambda h: _consent(stage, h, workers[h.number]))
    await stage.each("admitted", people, lambda h: _admit(stage, h, workers[h.number]))
    await _places_and_facilitators(stage)
    await stage.until("everybody waits or sits", lambda: _all_in_the_pool(stage, len(people)))
    await _form(stage)
    await stage.each(
        "first questionnaire", people, lambda h: _answer(stage, workers[h.number], "T0", h.before, h.answered_before)
    )
    await _meet(stage, {workers[human.number]: human for human in people})
    await stage.each(
        "last questionnaire", people, lambda h: _answer(stage, workers[h.number], "T2", h.after, h.answered_after)
    )


async def _refer(stage: Stage, human: Human) -> str:
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
    made = await stage.act(who, "POST", "/enrolment/referrals", body, f"refer-{human.number}")
    return str(made["worker"])


async def _consent(stage: Stage, human: Human, worker: str) -> None:
    body = {
        "consents": CONSENTS,
        "notice": stage.rules.notice.version,
        "language": "en",
        "at": human.consented.isoformat(),
    }
    await stage.act(
        ("worker", worker, None), "POST", f"/enrolment/workers/{worker}/consents", body, f"consent-{human.number}"
    )


async def _admit(stage: Stage, human: Human, worker: str) -> None:
    body = {"at": human.admitted.isoformat()}
    await stage.act(OPERATOR, "POST", f"/enrolment/workers/{worker}/admission", body, f"admit-{human.number}")


async def _places_and_facilitators(stage: Stage) -> None:
    towns, slots = stage.rules.municipalities, [slot.id for slot in stage.rules.slots]

    async def place(number: int) -> None:
        town = towns[number % len(towns)]
        body = {
            "title": f"{town.name} Public Library",
            "address": f"Main Street, {town.name}",
            "municipality": town.id,
            "rooms": 2,
        }
        await stage.act(OPERATOR, "PUT", f"/grouping/places/library-{town.id}", {**body, "access": True})

    async def facilitator(number: int) -> None:
        free = [slot for at, slot in enumerate(slots) if (at + number) % 3]
        body = {"municipality": towns[number % len(towns)].id, "travel_km": 400, "slots": free, "groups": 2}
        await stage.act(OPERATOR, "PUT", f"/grouping/facilitators/trainer-{number:02}", body)

    await stage.each("places", range(len(towns)), place)
    await stage.each("facilitators", range(30), facilitator)


async def _all_in_the_pool(stage: Stage, number: int) -> bool:
    pool = await stage.act(OPERATOR, "GET", "/grouping/pool")
    return bool(pool["waiting"] + pool["seated"] == number)


async def _form(stage: Stage) -> None:
    """Ask for proposals and confirm each group, until nobody more can be seated on this day."""
    while True:
        proposal = await stage.act(
            OPERATOR, "POST", "/grouping/proposals", {"on": INTAKE.isoformat(), "seed": stage.seed}
        )
        if not proposal["groups"]:
            return
        at = datetime(INTAKE.year, INTAKE.month, INTAKE.day, 15, tzinfo=UTC).isoformat()

        async def confirm(group: dict[str, Any], at: str = at) -> None:
            key = hashlib.sha256("".join(group["members"]).encode()).hexdigest()[:16]
            await stage.act(OPERATOR, "POST", "/grouping/groups", {**group, "at": at}, f"group-{key}")

        await stage.each("groups formed", proposal["groups"], confirm)


async def _answer(stage: Stage, worker: str, wave: str, score: float, at: datetime) -> None:
    """Once they are asked: the question may still be on its way from the admission."""
    path = f"/sessions/workers/{worker}/surveys/jobs2-depression/{wave}"
    body = {"answers": {"score": score}, "at": at.isoformat()}

    async def answered() -> bool:
        told = await stage.act(
            ("worker", worker, None),
            "PUT",
            path,
            body,
            also=["no-such-survey", "not-open", "no-consent", "submitted-already"],
        )
        return told in {"done", "submitted-already"}

    await stage.until(f"{wave} of worker {worker}", answered)


async def _meet(stage: Stage, humans: dict[str, Human]) -> None:
    """Every meeting of every group, the roll called by its facilitator at the end of it."""
    groups = await stage.act(OPERATOR, "GET", "/grouping/groups")
    calls: list[tuple[str, dict[str, Any]]] = []

    async def calendar(group: dict[str, Any]) -> None:
        leader = ("facilitator", group["facilitator"], None)
        path, found = f"/sessions/groups/{group['group']}/sessions", list[Any]()

        async def all_there() -> bool:
            read = await stage.act(leader, "GET", path, also=["no-such-group"])
            found[:] = read if isinstance(read, list) else []
            if len(found) < stage.rules.meetings:
                return False
            expected = await stage.act(leader, "GET", f"/sessions/sessions/{found[0]['session']}")
            return bool(len(expected["members"]) == group["members"])

        await stage.until(f"the meetings of group {group['group']}", all_there)
        calls.extend((group["facilitator"], meeting) for meeting in found)

    await stage.each("calendars read", groups, calendar)

    async def roll(call: tuple[str, dict[str, Any]]) -> None:
        leader, meeting = ("facilitator", call[0], None), call[1]
        expected = await stage.act(leader, "GET", f"/sessions/sessions/{meeting['session']}")
        present = [worker for worker in expected["members"] if meeting["number"] in humans[worker].meetings]
        after = datetime.fromisoformat(meeting["starts"]) + timedelta(minutes=stage.rules.session_minutes)
        body = {"present": present, "at": after.isoformat()}
        await stage.act(leader, "PUT", f"/sessions/sessions/{meeting['session']}/roll-call", body)

    await stage.each("rolls called", sorted(calls, key=lambda call: str(call[1]["starts"])), roll)
