"""Acts of people: workers are referred, consent, are admitted, join a group, answer, leave; operators compete for the last room and seat.

Each worker's acts depend on the seed and their number alone; their group depends on the order in which services answer.
"""

import asyncio
import random
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.programmes.instruments import load_all
from tests.helpers.days import today
from tests.system.chaos.driver import Answer, Caller, Driver

OPERATORS = (Caller("operator", "operator-one"), Caller("operator", "operator-two"))
ADMINISTRATOR = Caller("administrator", "administrator")
PARTNERS = ("comune-monza", "afol", "aeris", "cgil", "cisl", "uil")
SLOTS = ("mon-evening", "tue-evening", "wed-evening")  # ISO weekdays 1, 2, 3
ITEMS = [each.id for each in load_all()["ama-own"].items]
SIZE, RIVALS = 10, 20  # members of a group; people in the pool before two groups are formed at once
NOT_YET = {"no-such-seeker", "not-waiting"}  # refusals until the bus has delivered
NOT_ASKED_YET = {"no-such-survey", "not-open", "no-consent"}
GONE = {"not-a-member", "erased"}
MEETINGS = 18


class Unexpected(Exception):
    """Refusal that no rule allows for."""


@dataclass(eq=False)
class Worker:
    """A worker, as the driver knows them."""

    id: str
    chance: random.Random
    seated: asyncio.Event = field(default_factory=asyncio.Event)
    erased: bool = False

    @property
    def themselves(self) -> Caller:
        """Caller in the worker's own role."""
        return Caller("worker", self.id)


def _says(*types: str, subject: str) -> Any:
    return lambda _: [(each, subject) for each in types]


class Lives:
    """All workers' acts, until `over` is set."""

    def __init__(self, driver: Driver, seed: int) -> None:
        self._driver, self._seed, self.over = driver, seed, asyncio.Event()
        self._pool: list[Worker] = []
        self._born = self._groups = 0

    async def go_on(self, at_once: int, pause: float) -> None:
        """Run up to `at_once` workers side by side, a new one every `pause` seconds, and form groups of them. Returns when `over` is
        set and every begun act has ended."""
        gate = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as together:
            together.create_task(self._form_groups(together))
            while not self.over.is_set():
                await gate.acquire()
                self._born += 1
                together.create_task(self._noting(self._live(self._born, gate)))
                await asyncio.sleep(pause)

    async def _noting(self, life: Awaitable[None]) -> None:
        try:
            await life
        except Unexpected as refusal:
            self._driver.ledger.broken.append(str(refusal))

    async def _live(self, number: int, gate: asyncio.Semaphore) -> None:
        chance = random.Random(f"{self._seed}/{number}")
        try:
            worker = await self._enter(number, chance)
        finally:
            gate.release()
        if worker is not None and await self._sit(worker):
            await self._afterwards(worker)

    async def _enter(self, number: int, chance: random.Random) -> Worker | None:
        """Take a worker up to the pool; None for one who does not get that far."""
        worker = await self._refer(number, chance)
        if chance.random() < 0.05:
            await self._act(worker, "refusal", "worker.declined")
            return None
        await self._consent(worker, _first_consents(chance))
        if chance.random() < 0.2:
            says = _says("worker.profiled", subject=worker.id)
            await self._send(
                OPERATORS[0], f"/enrolment/workers/{worker.id}/profile", _profile(chance), says, method="PUT"
            )
        await self._admit(worker)
        if chance.random() < 0.35:
            await self._answer(worker)
        if chance.random() < 0.06:
            await self._leave(worker)
            return None
        return worker

    async def _refer(self, number: int, chance: random.Random) -> Worker:
        partner = chance.choice(PARTNERS)
        person = {"given_name": "Ada", "family_name": f"Prova {number}", "email": f"w{number}@example.org"}
        answer = await self._driver.send(
            Caller("referrer", f"desk-of-{partner}", partner),
            "/enrolment/referrals",
            {"person": person, "profile": _profile(chance)},
            lambda body: [("worker.referred", body["worker"]), ("worker.profiled", body["worker"])],
        )
        return Worker(_expect(answer)["worker"], chance)

    async def _consent(self, worker: Worker, consents: dict[str, bool], *also: str) -> None:
        body = {"consents": consents, "notice": "2026-09"}
        says = _says(*["consent.changed"] * len(consents), *also, subject=worker.id)
        _expect(await self._send(worker.themselves, f"/enrolment/workers/{worker.id}/consents", body, says))

    async def _act(self, worker: Worker, act: str, event: str, who: Caller = OPERATORS[0], body: Any = None) -> Answer:
        return await self._send(who, f"/enrolment/workers/{worker.id}/{act}", body, _says(event, subject=worker.id))

    async def _admit(self, worker: Worker) -> None:
        """Admit the worker by one operator, or by two at once: then one of them must be refused."""
        rivals = OPERATORS if worker.chance.random() < 0.1 else OPERATORS[:1]
        answers = await asyncio.gather(
            *(self._act(worker, "admission", "worker.admitted", operator) for operator in rivals)
        )
        if sum(each.done for each in answers) != 1:
            self._driver.ledger.broken.append(f"{worker.id} was admitted by {answers}")

    async def _answer(self, worker: Worker) -> None:
        """Submit the first survey, once the invitation is there."""
        survey = str(uuid5(NAMESPACE_URL, f"urn:amalavoro:survey:{worker.id}:ama-own:T0"))
        body = {"answers": {item: float(worker.chance.randrange(1, 6)) for item in ITEMS}}
        says = _says("survey.submitted", "survey.scored", subject=survey)
        where = f"/sessions/workers/{worker.id}/surveys/ama-own/T0"
        _expect(await self._driver.send(worker.themselves, where, body, says, NOT_ASKED_YET, "PUT"))

    async def _leave(self, worker: Worker) -> None:
        reason = worker.chance.choice(("found-work", "no-time", "illness", "other"))
        who = worker.chance.choice((worker.themselves, OPERATORS[1]))
        says = _says("worker.withdrawn", "withdrawal.explained", subject=worker.id)
        where = f"/enrolment/workers/{worker.id}/withdrawal"
        _expect(await self._send(who, where, {"reason": reason}, says))

    async def _sit(self, worker: Worker) -> bool:
        """Wait for a seat. False when `over` came first."""
        self._pool.append(worker)
        waits = [asyncio.ensure_future(each.wait()) for each in (worker.seated, self.over)]
        _, others = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in others:
            each.cancel()
        return worker.seated.is_set()

    async def _afterwards(self, worker: Worker) -> None:
        draw = worker.chance.random()
        await asyncio.sleep(worker.chance.uniform(0, 6))
        if draw < 0.12:
            await self._leave(worker)
        elif draw < 0.22:
            await self._consent(worker, {"partner-feedback": False})
            if draw < 0.17:
                await self._consent(worker, {"partner-feedback": True})
                await self._leave(worker)
        elif draw < 0.26:
            await self._consent(worker, {"participation": False}, "worker.withdrawn", "withdrawal.explained")
        elif draw < 0.30:
            worker.erased = True
            says = _says("worker.erased", subject=worker.id)
            _expect(await self._send(ADMINISTRATOR, f"/enrolment/workers/{worker.id}", None, says, method="DELETE"))

    async def _form_groups(self, together: asyncio.TaskGroup) -> None:
        while not self.over.is_set():
            if len(self._pool) >= RIVALS:
                people, self._pool = self._pool[:RIVALS], self._pool[RIVALS:]
                together.create_task(self._noting(self._race(people)))
            await asyncio.sleep(0.1)

    async def _race(self, people: list[Worker]) -> None:
        """Form two groups at once of which only one can exist: they share a room and a facilitator, or one person."""
        self._groups += 1
        number, slot = self._groups, self._groups % len(SLOTS)
        alike = number % 2 == 0
        first = _day_of(slot, weeks=-3 if number % 3 else 3)
        names = [f"{self._seed}-{number}"] * 2 if alike else [f"{self._seed}-{number}-{side}" for side in "ab"]
        await asyncio.gather(*(self._prepare(name, slot) for name in sorted(set(names))))
        sides = (people[:SIZE], people[SIZE:]) if alike else (people[: SIZE + 1], people[SIZE:])
        answers = await asyncio.gather(
            *(self._form(name, slot, first, side, who) for name, side, who in zip(names, sides, OPERATORS, strict=True))
        )
        if sum(each.done for each in answers) != 1:
            self._driver.ledger.broken.append(f"of two groups for one {'room' if alike else 'person'}: {answers}")
        for answer, side in zip(answers, sides, strict=True):
            if answer.done:
                for each in side:
                    each.seated.set()
                if first < today():
                    await self._meet(answer.body["group"], side)
        self._pool += [each for each in people if not each.seated.is_set()]

    async def _prepare(self, name: str, slot: int) -> None:
        place = {"title": f"Casa {name}", "address": "Via Correggio 59", "municipality": "monza"}
        leader = {"municipality": "monza", "slots": [SLOTS[slot]]}
        for kind, id, body in (("place", f"place-{name}", place), ("facilitator", f"leader-{name}", leader)):
            says = _says(f"{kind}.registered", subject=id)
            _expect(await self._send(OPERATORS[1], f"/grouping/{kind}s/{id}", body, says, method="PUT"))

    async def _form(self, name: str, slot: int, first: date, side: Sequence[Worker], who: Caller) -> Answer:
        body = {
            "members": [each.id for each in side],
            "slot": SLOTS[slot],
            "place": f"place-{name}",
            "facilitator": f"leader-{name}",
            "first": str(first),
        }
        types = ["group.formed", "facilitator.assigned", *["member.joined"] * len(side)]
        return await self._send(who, "/grouping/groups", body, lambda answer: [(t, answer["group"]) for t in types])

    async def _meet(self, group: str, members: Sequence[Worker]) -> None:
        """Call the roll of the first session, and correct it once."""
        calendar: list[Any] = []
        while len(calendar) < MEETINGS:
            calendar = await self._driver.read(OPERATORS[0], f"/sessions/groups/{group}/sessions") or []
            await asyncio.sleep(0.3)
        session = calendar[0]["session"]
        roll: list[str] = []
        while len(roll) < sum(not each.erased for each in members):
            seen = await self._driver.read(OPERATORS[0], f"/sessions/sessions/{session}")
            roll = seen["members"] if seen else []
            await asyncio.sleep(0.3)
        for present in (roll[2:], roll[1:]):
            where, says = f"/sessions/sessions/{session}/roll-call", _says("session.held", subject=session)
            answer = await self._send(OPERATORS[0], where, {"present": present}, says, method="PUT")
            if answer.code in GONE:  # erased meanwhile
                return
            _expect(answer)

    async def _send(self, who: Caller, where: str, body: Any, says: Any, method: str = "POST") -> Answer:
        return await self._driver.send(who, where, body, says, NOT_YET, method)


def _profile(chance: random.Random) -> dict[str, Any]:
    year = chance.randrange(1960, 2000)
    # one gender for all: groups are drawn at random here, and nobody may be the only one of their gender
    return {"municipality": "monza", "slots": list(SLOTS), "gender": "f", "birth_year": year}


def _first_consents(chance: random.Random) -> dict[str, bool]:
    consents = {"participation": True, "contact": chance.random() < 0.8, "research": True}
    draw = chance.random()
    return consents if draw < 0.1 else consents | {"partner-feedback": draw < 0.85}


def _day_of(slot: int, weeks: int) -> date:
    """Day of the slot, so many weeks from this one."""
    now = today()
    return now - timedelta(days=now.weekday()) + timedelta(days=slot, weeks=weeks)


def _expect(answer: Answer) -> Any:
    if not answer.done:
        raise Unexpected(f"refused against all rules: {answer}")
    return answer.body
