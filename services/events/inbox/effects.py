"""Effects of a service on an event: decrypt it with the person's key, then give it to reactions or to projections.

Invariants: an event about an erased person has no effect; consents and erasures are taken by the gate. A restricted event is read only
with the key of its person. A table keeps the record with the highest sequence of a compacted topic, and none of an erased person.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from services import vault
from services.contracts import Event, Restricted, Unreadable, catalogue
from services.contracts.enrolment import WorkerErased
from services.contracts.envelope import decode_from, read
from services.contracts.programmes import ProgrammePublished
from services.contracts.topics import KEYS, PROGRAMMES
from services.events.delivery.declare import Deferred, Handlers, Reactions
from services.events.delivery.state import Record
from services.events.inbox.failures import ProjectionFailed
from services.events.inbox.rows import Rows
from services.kernel import NotYet
from services.programmes import Programme
from services.store.mongo import ReplaceOne
from services.store.outbox import Cause
from services.store.programmes import PublishedProgramme
from services.store.unit import Unit
from services.store.work import Work
from services.telemetry import Telemetry

log = logging.getLogger(__name__)


class Opened:
    """Decrypts the events of one transaction, as far as this service has the keys and the person was not erased."""

    tables: Collection[str] = ()

    def __init__(self, unit: Unit, wanted: Collection[str]) -> None:
        self.unit, self._wanted, self._erased = unit, wanted, set[str]()

    async def prepare(self, events: Sequence[Event[Any]]) -> None:
        """Look up erased people and fetch the keys of encrypted payloads, each in one query."""
        # Keys only for encrypted payloads: an open event is read without one.
        about = [(e.programme, person, isinstance(e.data, str)) for e in events if (person := self._person(e))]
        # Subjects as well, whatever the type: of an erased person not even a dead letter may be left.
        asked = {f"{p}/{person}" for p, person, _ in about} | {f"{e.programme}/{e.subject}" for e in events}
        self._erased |= await self.unit.erased.among(asked)
        await self.unit.keys.load((p, person) for p, person, sealed in about if sealed)

    def is_erased(self, event: Event[Any]) -> bool:
        """Tell whether the subject of a prepared event is an erased person."""
        return f"{event.programme}/{event.subject}" in self._erased

    def _person(self, event: Event[Any]) -> str | None:
        kind = catalogue().get(event.type)
        # Nobody handles it, so its key need not be fetched.
        if kind is None or kind.person is None or event.type not in self._wanted:
            return None
        if issubclass(kind, Restricted):
            return vault.payload_person(event.data) if isinstance(event.data, str) else None
        if kind.person == "subject":
            return event.subject
        # The payload is not validated yet, and may be anything.
        return str(event.data.get(kind.person)) if isinstance(event.data, dict) else None

    async def opened(self, event: Event[Any]) -> Event[Any] | None:
        """The event with its payload validated; None when its person was erased. NotYet without the key, Unreadable naming the field."""
        try:
            person = self._person(event)
        except vault.Unopenable as error:
            raise Unreadable("data", str(error)) from error
        if person is not None and f"{event.programme}/{person}" in self._erased and event.type != WorkerErased.type:
            return None
        if issubclass(catalogue()[event.type], Restricted):
            # A restricted payload in clear would stay readable after an erasure.
            if not isinstance(event.data, str) or person is None:
                raise Unreadable("data", "a restricted payload that is not encrypted")
            return read(event.carrying(_unsealed(await self.unit.keys.get(event.programme, person), event.data)))
        return read(event)

    async def tabulate(self, record: Record) -> None:
        """Keep a record of a compacted topic, or the newest version of a programme. The tombstone of a key is an erasure. Raises
        Unreadable."""
        if record.topic == PROGRAMMES.name:
            await self._keep_programme(record)
            return
        try:
            headers = {name: value.decode() for name, value in record.headers}
            person = (record.key or b"").decode()
        except UnicodeDecodeError as error:
            raise Unreadable("headers or key", "not UTF-8") from error
        programme, sequence = headers.get("programme"), headers.get("sequence", "")
        if record.key is None or not programme or not sequence.isdecimal():
            log.error(
                "record without programme or sequence ignored", extra={"topic": record.topic, "offset": record.offset}
            )
            return
        if record.value is None and record.topic == KEYS.name:
            await self.unit.forget(programme, person)
            return
        _id, table = f"{programme}/{person}", record.topic.rpartition(".")[2]
        # A bus that is refilled, or a relay that begins again, may repeat a record from before the erasure.
        if await self.unit.erased.among([_id]):
            return
        known = (await self.unit.by_id(table, [_id])).get(_id)
        # A repeat must not replace a newer record.
        if known is None or known["sequence"] < int(sequence):
            document = {"programme": programme, "sequence": int(sequence), "value": record.value}
            await self.unit.write(table, [ReplaceOne({"_id": _id}, document, upsert=True)])

    async def _keep_programme(self, record: Record) -> None:
        event = decode_from(record.topic, record.value)
        if event.type != ProgrammePublished.type:
            return
        new = PublishedProgramme.of_event(read(event))
        try:
            new.programme  # noqa: B018  # one that cannot be served is a dead letter, and the version before stays
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise Unreadable(".".join(("data", *map(str, first["loc"]))), first["msg"]) from error
        stored = await self.unit.by_id(PublishedProgramme.collection, [new.id])
        if new.follows(stored.get(new.id)):
            await self.unit.write(PublishedProgramme.collection, [new.upsert()])


def _unsealed(key: bytes, data: str) -> Any:
    try:
        return orjson.loads(vault.decrypt_payload(key, data))
    except (vault.Unopenable, orjson.JSONDecodeError) as error:
        raise Unreadable("data", "does not open with the key of its person, or is not JSON") from error


class Tabulating(Opened):
    """Keeps the records of compacted topics; handles no events."""

    def __init__(self, unit: Unit, tables: Collection[str]) -> None:
        super().__init__(unit, ())
        self.tables = tables

    async def apply(self, event: Event[Any]) -> str:  # noqa: ARG002  # there are no events on a compacted topic
        return "ignored"


class Reacting(Opened):
    """Gives each event to the reactions of a service."""

    def __init__(
        self, unit: Unit, reactions: Reactions, rules: Mapping[str, Programme], telemetry: Telemetry, *, alone: bool
    ) -> None:
        """`alone`: this service serves every programme on the bus, so that an unknown one is missing and not another service's."""
        super().__init__(unit, reactions.handlers)
        self._reactions, self._rules, self._telemetry, self._alone = reactions, rules, telemetry, alone

    async def prepare(self, events: Sequence[Event[Any]]) -> None:
        """Fetch also the aggregates that the reactions name in `needs`."""
        await super().prepare(events)
        needed: dict[tuple[Any, str], set[str]] = {}
        for event in events:
            for needs in self._reactions.needs.get(event.type, ()):
                for kind, each in needs(event):
                    needed.setdefault((kind, event.programme), set()).add(each)
        for (kind, programme), ids in needed.items():
            await self.unit.load(kind, programme, ids)

    async def apply(self, event: Event[Any]) -> str:
        """Run the reactions to it. Deferred when one raised NotYet after something was changed."""
        handlers = self._reactions.handlers.get(event.type, [])
        if not handlers:
            return "ignored"
        rules = self._rules.get(event.programme)
        if rules is None and self._alone:
            raise NotYet(f"the programme {event.programme}")
        if rules is None:
            return "elsewhere"
        opened = await self.opened(event)
        if opened is None:
            return "erased"
        first = True
        for handler in handlers:
            with self._telemetry.span(handler.__name__, traceparent=event.traceparent):
                trace = self._telemetry.traceparent()
                cause = Cause(event.programme, event.time, event.correlationid or event.id, event.id, trace)
                work = Work(self.unit, rules, cause)
                try:
                    await handler(opened, work)
                except NotYet as missing:
                    # Nothing was changed: the event alone is parked, and the batch goes on.
                    if first and work.untouched:
                        raise
                    raise Deferred(event.id, str(missing)) from missing
                self.unit.attribute(cause)
                first = False
        return "taken"


class Projecting(Opened):
    """Opens each event once, gives it to every projection that handles it, and writes their rows."""

    def __init__(self, unit: Unit, handlers: Handlers, collections: Mapping[str, str]) -> None:
        """`collections`: where the rows of each projection are stored, by its name."""
        super().__init__(unit, handlers)
        self._handlers, self._collections = handlers, collections
        self.rows = {name: Rows() for name in collections}

    async def apply(self, event: Event[Any]) -> str:
        """Set the facts that the event tells. ProjectionFailed names the projection whose handler failed."""
        handlers = self._handlers.get(event.type)
        if not handlers:
            return "ignored"
        opened = await self.opened(event)
        if opened is None:
            return "erased"
        for name, handler in handlers:
            rows = self.rows[name]
            rows.programme = event.programme
            try:
                handler(opened, rows)
            except NotYet as missing:
                # Facts may be set already, by this handler or by one before it.
                raise Deferred(event.id, str(missing)) from missing
            except Exception as error:
                raise ProjectionFailed(name) from error
        return "taken"

    async def write(self) -> None:
        """Write the rows of this transaction, in one bulk write for each collection; removals first."""
        rows = {self._collections[name]: each for name, each in self.rows.items()}
        self.unit.write_last({collection: each.removals() for collection, each in rows.items()})
        self.unit.write_last({collection: each.writes() for collection, each in rows.items()})
