"""Effects of the gate: consents and erasures of a service, which wait behind no other event.

Invariants: the state of the gate is monotone. A decision is added and never removed but by an erasure; a person in the register of the
erased stays there. So any order and any repeats give the same state. The state is stored also when a handler of the room fails.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.contracts.enrolment import ConsentChanged, WorkerErased
from services.events.delivery.declare import Gate
from services.events.inbox.dead_letters import release
from services.events.inbox.documents import GATE
from services.events.inbox.gate_reading import GATED, Gated, gated
from services.events.inbox.projections import ReadModels
from services.kernel import NotYet
from services.programmes import Programme
from services.store.mongo import DeleteMany, Store, Transaction
from services.store.outbox import Cause
from services.store.people import ErasedPerson
from services.store.unit import Unit
from services.store.work import Work
from services.telemetry import Telemetry

__all__ = ["GATE", "GATED", "GateEffect", "Gated", "gated"]


class GateEffect:
    """Keeps the gate's state and runs the handlers of the room, in one transaction."""

    def __init__(  # what a transaction of a service consists of
        self,
        store: Store,
        transaction: Transaction,
        unit: Unit,
        gate: Gate,
        rules: Mapping[str, Programme],
        read_models: ReadModels,
        telemetry: Telemetry,
        *,
        alone: bool,
    ) -> None:
        """`alone`: this service serves every programme on the bus."""
        self._store, self._transaction, self.unit = store, transaction, unit
        self._gate, self._rules, self._read_models, self._telemetry = gate, rules, read_models, telemetry
        self._alone = alone

    async def prepare(self, all_: Sequence[Gated]) -> None:
        """Fetch consents and aggregates, each in one query. Before an erasure, conflict with every transaction of a consumer."""
        if any(each.erases for each in all_):
            # First, because it conflicts with the transactions since the snapshot.
            await self.unit.fence.give()
        await self.unit.consents.load((each.programme, each.person) for each in all_)
        needed: dict[tuple[Any, str], set[str]] = {}
        for each in all_:
            for needs in self._gate.needs.get(each.type, ()):
                for kind, id in needs(each.person):
                    needed.setdefault((kind, each.programme), set()).add(id)
        for (kind, programme), ids in needed.items():
            await self.unit.load(kind, programme, ids)

    async def keep(self, each: Gated) -> bool:
        """Keep the consent, or destroy everything that the chassis holds of the person. False: another event has its sequence."""
        if each.erases:
            await self._erase(each.programme, each.person)
        elif each.programme in self._rules or self._alone:
            return await self.unit.consents.decide(each.programme, each.person, each.decisions())
        return True

    def is_erased(self, each: Gated) -> bool:
        """Tell whether the person was erased. Nothing about them is kept any more, no dead letter either."""
        return self.unit.consents.is_erased(each.programme, each.person)

    async def _erase(self, programme: str, person: str) -> None:
        await self.unit.forget(programme, person)
        about = {"programme": programme, "person": person}
        for collection in await self._read_models.collections():
            await self.unit.write(collection, [DeleteMany(about)])
        await release(self._store, programme, person, self._transaction)
        for holding in self._gate.holdings:
            await holding.forget(self._store, programme, person, self._transaction)

    async def handle(self, each: Gated) -> str:
        """Run the handlers of the room. Returns the outcome to count. NotYet while the programme is not known."""
        rules = self._rules.get(each.programme)
        if rules is None and self._alone:
            raise NotYet(f"the programme {each.programme}")
        if rules is not None:
            for handler in self._handlers(each):
                with self._telemetry.span(handler.__name__, traceparent=each.event.traceparent if each.event else None):
                    cause = self._cause(each)
                    await handler(each.person, Work(self.unit, rules, cause))
                    self.unit.attribute(cause)
        if each.erases:
            finished = ErasedPerson.finish(each.programme, each.person, self.unit.now)
            await self.unit.write(ErasedPerson.collection, [finished])
        return "taken" if rules is not None else "elsewhere"

    def _handlers(self, each: Gated) -> Iterable[Any]:
        # An erasure that cannot be read closes the consents and erases nobody.
        kind = WorkerErased if each.erases else ConsentChanged
        return self._gate.handlers.get(kind.type, ())

    def _cause(self, each: Gated) -> Cause:
        id = each.event.id if each.event else f"{each.person}-{each.sequence}"
        correlation = each.event.correlationid if each.event else None
        return Cause(each.programme, each.at, correlation or id, id, self._telemetry.traceparent())
