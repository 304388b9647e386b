"""The consents of each person, as the gate of a service keeps them: every decision that it has read.

Invariants: decisions are a set, so their order of arrival and their repeats do not matter. The later decision in the world counts; of two
at one moment the one with the higher sequence, and then the refusal. Where two events have one sequence, both count as refusals.
Every purpose stands on the consent to participate. A decision that was not read is unknown, and unknown is not consent.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from services.contracts.enrolment import Purpose
from services.store.documents import StoredDocument
from services.store.mongo import Document, Store, Transaction, UpdateOne
from services.store.register import ErasedRegister


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on one purpose: its time in the world, the sequence of its event (0: unknown), and the id of the event. `unread`: a
    refusal on every purpose, for an event that cannot be read."""

    purpose: Purpose
    given: bool
    at: datetime
    sequence: int
    event: str = ""
    unread: bool = False

    def document(self) -> Document:
        """Return it as it is stored. MongoDB keeps milliseconds; a finer time would differ from the stored one."""
        at = self.at.replace(microsecond=self.at.microsecond // 1000 * 1000)
        more = {"event": self.event, "unread": self.unread}
        return {
            "purpose": self.purpose.value, "given": self.given, "at": at, "sequence": self.sequence,
            **{name: each for name, each in more.items() if each},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Consents(StoredDocument):
    """The decisions of one person. MongoDB keeps a further field, `guard`, which counts the transactions that only asked."""

    collection: ClassVar[str] = "consents"

    programme: str
    decisions: tuple[Document, ...] = ()

    def allow(self, purpose: Purpose, at: datetime | None = None) -> bool | None:
        """Tell whether the person consents to this purpose and to participate; None while one is unknown. `at`: as it was at that
        moment, by the decisions that are known now."""
        answers = {self._to(each, at) for each in (Purpose.PARTICIPATION, purpose)}
        return False if False in answers else None if None in answers else True

    def to_tell(self, purpose: Purpose, at: datetime) -> bool | None:
        """Tell whether what happened at that moment may be told for this purpose: never when a refusal was in force at that moment or
        at any later one; None while unknown. Whatever tells a partner of a step asks this, with the time of the step's event."""
        return False if self._refused_since(purpose, at) else self.allow(purpose)

    def _refused_since(self, purpose: Purpose, at: datetime) -> bool:
        about = (Purpose.PARTICIPATION, purpose)
        later = any(not each["given"] for each in self._counted() if each["purpose"] in about and each["at"] > at)
        return later or self.allow(purpose, at) is False

    def refusals(self) -> frozenset[Decision]:
        """Return the decisions that count as refusals, for a register. Without the ids of their events, since after a loss new events
        take the sequences of the lost ones, and are no intruders."""
        return frozenset(
            Decision(Purpose(each["purpose"]), False, each["at"], each["sequence"])
            for each in self._counted()
            if not each["given"]
        )

    def closed(self, at: datetime) -> frozenset[Decision]:
        """Return refusals of that moment which end every consent of until then, but the one to participate."""
        others = [each for each in self._counted() if each["purpose"] != Purpose.PARTICIPATION and each["at"] <= at]
        last = {each["purpose"]: each for each in sorted(others, key=_rank)}
        return frozenset(
            Decision(Purpose(purpose), False, at, each["sequence"]) for purpose, each in last.items() if each["given"]
        )

    def _to(self, purpose: Purpose, at: datetime | None) -> bool | None:
        decided = [each for each in self._counted() if each["purpose"] == purpose and (at is None or each["at"] <= at)]
        return bool(max(decided, key=_rank)["given"]) if decided else None

    def _counted(self) -> list[Document]:
        """Return the decisions as they count: nobody can tell which of two events at one sequence is true, so neither gives consent."""
        doubted = self.doubted()
        return [{**each, "given": False} if each["sequence"] in doubted else each for each in self.decisions]

    def doubted(self) -> set[int]:
        """Return the sequences that two events have. A decision that was stored without the id of its event is not compared."""
        events: dict[int, set[str]] = {}
        told: dict[int, set[tuple[str, bool]]] = {}  # one event tells one decision, so two of one id are two events
        for each in self.decisions:
            if each["sequence"] > 0 and (event := each.get("event")):
                events.setdefault(each["sequence"], set()).add(event)
                if not each.get("unread"):
                    told.setdefault(each["sequence"], set()).add((each["purpose"], each["given"]))
        return {each for each, ids in events.items() if len(ids) > 1 or len(told.get(each, ())) > 1}


def _same(decision: Document) -> tuple[Any, ...]:
    # Without the time: a decision whose time cannot be read keeps that of its first reading.
    return (
        decision["purpose"],
        decision["given"],
        decision["sequence"],
        decision.get("event") or decision["at"],
        decision.get("unread"),
    )


def _rank(decision: Document) -> tuple[datetime, int, bool]:
    return decision["at"], decision["sequence"], not decision["given"]


class PersonConsents:
    """The consents that one transaction has asked for or changed. What it asked for is written as a guard, so that two transactions of
    which one decides on the consent and the other changes it cannot both commit."""

    def __init__(self, store: Store, transaction: Transaction, register: ErasedRegister) -> None:
        self._store, self._transaction, self._register = store, transaction, register
        self._known: dict[str, Consents] = {}
        self._erased: set[str] = set()
        self._guarded: set[str] = set()
        self._new: dict[str, list[Document]] = {}

    async def load(self, people: Iterable[tuple[str, str]]) -> None:
        """Fetch the consents of these (programme, person) in one query."""
        wanted = {f"{p}/{person}": p for p, person in people if f"{p}/{person}" not in self._known}
        found = await self._store.by_id(Consents.collection, list(wanted), self._transaction)
        absent = [_id for _id in wanted if _id not in found]
        # Nothing is written about an erased person any more, not even a guard.
        self._erased |= await self._register.among(absent)
        for _id, programme in wanted.items():
            self._known[_id] = Consents.of(found[_id]) if _id in found else Consents(_id, programme)

    async def get(self, programme: str, person: str, *, guarded: bool) -> Consents:
        """Return the person's consents, without a decision when none is known."""
        await self.load([(programme, person)])
        if guarded:
            self._guarded.add(f"{programme}/{person}")
        return self._known[f"{programme}/{person}"]

    async def decide(self, programme: str, person: str, decisions: Collection[Decision]) -> bool:
        """Add decisions; a decision that is known already changes nothing. False when another event has the sequence of one."""
        before = await self.get(programme, person, guarded=False)
        if before.id in self._erased:
            return True
        known = {_same(each) for each in before.decisions}
        new = [each for decision in decisions if _same(each := decision.document()) not in known]
        after = self._known[before.id] = Consents(before.id, programme, (*before.decisions, *new))
        self._new.setdefault(before.id, []).extend(new)
        return after.doubted().isdisjoint(each.sequence for each in decisions)

    def is_erased(self, programme: str, person: str) -> bool:
        """Tell whether a person, whose consents were loaded, was erased."""
        return f"{programme}/{person}" in self._erased

    def drop(self, programme: str, person: str) -> None:
        """Forget them, for an erasure."""
        _id = f"{programme}/{person}"
        self._known[_id] = Consents(_id, programme)
        self._erased.add(_id)

    def writes(self) -> list[Any]:
        """Return the writes that add the new decisions and guard what was asked for."""
        touched = self._guarded | {_id for _id, new in self._new.items() if new}
        return [self._write(_id) for _id in sorted(touched - self._erased)]

    def _write(self, _id: str) -> Any:
        change: Document = {"$inc": {"guard": 1}, "$setOnInsert": {"programme": self._known[_id].programme}}
        if new := self._new.get(_id):
            change["$addToSet"] = {"decisions": {"$each": new}}
        return UpdateOne({"_id": _id}, change, upsert=True)


async def consents_of(store: Store, programme: str, people: Collection[str]) -> dict[str, Consents]:
    """Return the consents of these people, by person; without a decision when none is known."""
    ids = {f"{programme}/{each}": each for each in people}
    found = await store.by_id(Consents.collection, list(ids))
    return {each: Consents.of(found[_id]) if _id in found else Consents(_id, programme) for _id, each in ids.items()}


async def consenting_in(store: Store, programme: str, purpose: Purpose) -> frozenset[str]:
    """Return the people of the programme who consent to this purpose and to participate. An erasure deletes the consents."""
    found = [each async for each in store[Consents.collection].find({"programme": programme})]
    return frozenset(each["_id"].partition("/")[2] for each in found if Consents.of(each).allow(purpose))
