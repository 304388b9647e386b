"""Refusals after a restore: a consent that was withdrawn since the backup stays withdrawn, though Kafka has lost the decision.

Invariants: a restore closes and never opens. A consent that was given since comes from Kafka or from a new form: a register does not know
the notice that was read. A refusal enters the same set of decisions that the gate of each service keeps, before a service starts.
Enrolment then publishes those that end a consent which its record still shows (`refuse_all_again`), so that every room acts on them.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from itertools import islice

from services.store.consents import Consents, Decision, PersonConsents
from services.store.mongo import Store, Transaction
from services.store.register import ErasedRegister

AT_ONCE = 500  # persons in one transaction
Refusals = Mapping[str, frozenset[Decision]]  # by `programme/person`


def since(told: Refusals, known: Refusals, erased: Collection[str]) -> Refusals:
    """Return the refusals that a backup does not know, but those of erased persons."""
    new = {person: each - known.get(person, frozenset()) for person, each in told.items() if person not in erased}
    return {person: each for person, each in new.items() if each}


async def close(store: Store, refusals: Refusals) -> None:
    """Add refusals to the state of a service's gate, but those of erased persons."""
    rest = iter(sorted(refusals.items()))
    while some := dict(islice(rest, AT_ONCE)):
        await store.transaction(partial(_add, store, some))


async def _add(store: Store, refusals: Refusals, transaction: Transaction) -> None:
    gate = PersonConsents(store, transaction, ErasedRegister(store, transaction))
    people = {_id: (_id.partition("/")[0], _id.partition("/")[2]) for _id in refusals}
    await gate.load(people.values())
    for _id, (programme, person) in people.items():
        # The gate has the same decision with the id of its event, when it had taken it.
        new = refusals[_id] - (await gate.get(programme, person, guarded=False)).refusals()
        await gate.decide(programme, person, new)
    await store.write(Consents.collection, gate.writes(), transaction)


async def close_all(store: Store, at: datetime) -> None:
    """Refuse, as of that moment, every purpose but participation for everybody whom the gate knows."""
    found = [Consents.of(each) async for each in store[Consents.collection].find()]
    await close(store, {each.id: closed for each in found if (closed := each.closed(at))})
