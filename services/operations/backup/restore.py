"""Restore from beginning to end: load the backup, import later events from the bus, restore people's keys, let the services start.

Invariant: the order. The bus is read before anything is deleted, so a missing bus stops the restore, and so does a bus that does not
know who was erased since. A database counts as whole only after every erased person is in its register and purged from it, its gate
has the refusals that are known, and every sequence that was given is known.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from services.contracts import TOPICS
from services.contracts.topics import CONTACTS, KEYS
from services.events.bus.client import Bus
from services.operations.backup import key_access, load, people, purge, refusals
from services.operations.backup.bus_import import Imported, import_events
from services.operations.backup.bus_reader import BusReader, TopicState, open_reader
from services.operations.backup.key_access import KeyAccess
from services.operations.backup.manifest import Manifest, Report
from services.operations.backup.people import People
from services.operations.backup.registers import Registers
from services.operations.backup.sources import Checked, Source, check
from services.settings import Misconfigured
from services.store import restored
from services.store.fence import fence
from services.store.mongo import DeleteOne, Store

UNKNOWN = (
    "Nobody here knows who was erased since the backup of {:%Y-%m-%d %H:%M} UTC, or withdrew a consent: Kafka does not have the events "
    "since. Name what does, by --register with a newer backup or register; or accept it by --erasures-unknown. Nothing was restored."
)
UNTIL = (
    "WHO WAS ERASED AFTER {:%Y-%m-%d %H:%M} UTC IS NOT KNOWN HERE: their data is back. Erase again whom you know of."
)
DECIDED_UNTIL = (
    "WHO DECIDED ON A CONSENT AFTER {:%Y-%m-%d %H:%M} UTC IS NOT KNOWN HERE: type in the forms since again. A register has refusals alone, "
    "so this holds for consents given since the backup of {:%Y-%m-%d %H:%M} UTC."
)
CLOSED = (
    "NOBODY HERE KNOWS WHO WITHDREW A CONSENT SINCE THE BACKUP OF {:%Y-%m-%d %H:%M} UTC: for everybody every purpose but participation "
    "counts as refused. Ask them again, and type in what they decide. Whoever left the programme since is back: type that in too."
)
NONE = Registers()
TABLES = {KEYS.name, CONTACTS.name}  # compacted: their consumers keep the newest record of each person


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """The input of a restore. `keys`: a sealed file and its passphrase. `folder`: of key files; None leaves people's data unreadable.
    `registers`: erasures and refusals from other backups. `only`: the programmes of these databases; None is all. `erasures_unknown`: the
    operator accepts that nobody may know who was erased since, or withdrew a consent: then all but participation is refused."""

    backup: Source
    replace: bool = False
    keys: tuple[Path, str] | None = None
    folder: Path | None = None
    registers: Registers = NONE
    only: frozenset[str] | None = None
    erasures_unknown: bool = False

    def serves(self, programme: str) -> bool:
        """Tell if these databases have this programme."""
        return self.only is None or programme in self.only


@dataclass(slots=True)
class RestoreOutcome:
    """The outcome of a restore. `refused`: decisions that a register closed again; `closed`: the moment at which all but participation
    counts as refused. `keyless`: persons whose key was found nowhere."""

    manifest: Manifest
    imported: dict[str, Imported] = field(default_factory=dict)
    erased: int = 0
    refused: int = 0
    closed: datetime | None = None
    keys: int = 0
    keyless: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def restore(stores: Mapping[str, Store], bus: Bus, plan: RestorePlan, report: Report) -> RestoreOutcome:
    """Restore these services. Misconfigured or Damaged before any change; KafkaError when no broker answers."""
    checked = await asyncio.to_thread(check, plan.backup, partial(_prefixed, report, "checking "))
    manifest = checked.manifest
    await asyncio.to_thread(partial(load.check_targets, stores, manifest, replace=plan.replace))
    outcome = RestoreOutcome(manifest)
    async with open_reader(bus) as reader:
        topics = await reader.states(TOPICS)
        living = await people.read_people(reader, manifest.acknowledged, plan.serves)
        _check_erasures(plan, living, outcome)
        # The last check that may refuse: `load`, which comes next, deletes.
        access = await asyncio.to_thread(_key_access, plan, living, manifest) if "enrolment" in stores else None
        await asyncio.to_thread(load.load, stores, plan.backup, manifest, report)
        for service, store in stores.items():
            outcome.imported[service] = await import_events(
                service, store, reader, manifest.acknowledged, plan.serves, _note(report)
            )
            await _set_offsets(store, topics, manifest)
        # Erasures count from wherever they are known: every service of this backup, the bus, and newer backups that the operator names.
        living.erased |= checked.erased | plan.registers.erased
        outcome.erased = len(living.erased - checked.erased)
        for service, store in stores.items():
            report(f"{service}: the erased", 0, len(living.erased))
            await _purge(store, living, plan)
        await _close_consents(stores, checked, living, plan, outcome)
        # Enrolment alone keeps everybody's key under the master key; other services read theirs from the topic.
        if "enrolment" in stores:
            await _bring_keys(stores["enrolment"], reader, plan, access, living, outcome)
    for store in stores.values():
        # A consumer that ran through all this must not go by what it remembers of the database before.
        await fence(store)
        # Last: services refuse a database that is not marked as whole, so that an interrupted restore is noticed.
        await restored.mark_whole(store)
    return outcome


def _check_erasures(plan: RestorePlan, living: People, outcome: RestoreOutcome) -> None:
    """Raise Misconfigured when erasures and refusals since the backup would be undone unseen; note it when the operator accepts that."""
    enrolment, made, known = outcome.manifest.parts.get("enrolment"), outcome.manifest.made, plan.registers
    people = enrolment.collections.get("worker") if enrolment else None
    if living.knows_erased or (people is not None and people.documents == 0):
        return
    until = max(made, known.until or made)
    if until == made and not plan.erasures_unknown:
        raise Misconfigured(UNKNOWN.format(made))
    outcome.notes.append(UNTIL.format(until))
    if known.refusals_until is not None and known.refusals_until > made:
        outcome.notes.append(DECIDED_UNTIL.format(known.refusals_until, made))
    else:
        outcome.closed = made


async def _close_consents(
    stores: Mapping[str, Store], checked: Checked, living: People, plan: RestorePlan, outcome: RestoreOutcome
) -> None:
    """Close what was refused since, in the gate of every service, and note it for enrolment, whose record shows consent."""
    told = refusals.since(plan.registers.refusals, checked.refusals, living.erased)
    for store in stores.values():
        await refusals.close(store, told)
    outcome.refused = sum(map(len, told.values()))
    # Without enrolment, its own database has every decision, and its outbox fills the bus with them.
    outcome.closed = outcome.closed if "enrolment" in stores else None
    if outcome.closed is not None:
        outcome.notes.append(CLOSED.format(outcome.closed))
        for store in stores.values():
            await refusals.close_all(store, outcome.closed)
    # A bus that knows all has later decisions too, which enrolment applies; without key files it does not start.
    if "enrolment" in stores and plan.folder is not None and not living.knows_erased:
        noted = [restored.note_refusals(told, outcome.closed)]
        await stores["enrolment"].write(restored.RestoreState.collection, noted)


async def _purge(store: Store, living: People, plan: RestorePlan) -> None:
    await purge.forget(store, living.erased)
    # Without key files no service starts here that could empty its aggregates by its own rules.
    await asyncio.to_thread(partial(purge.purge, store, living.erased, aggregates=plan.folder is None))
    noted = {} if plan.folder is None else {person: living.erasures.get(person) for person in living.erased}
    await store.write(restored.RestoreState.collection, [restored.note_erasures(noted)])


def _key_access(plan: RestorePlan, living: People, manifest: Manifest) -> KeyAccess | None:
    """Check the access to people's keys; None when there are no people. Misconfigured when it does not open them."""
    known = manifest.parts["enrolment"].collections.get("worker")
    somebody = living.alive or plan.keys or (known and known.documents)
    return key_access.check_access(plan.folder, plan.keys, living.sample) if plan.folder and somebody else None


async def _bring_keys(
    store: Store,
    reader: BusReader,
    plan: RestorePlan,
    access: KeyAccess | None,
    living: People,
    outcome: RestoreOutcome,
) -> None:
    if access is not None and access.service is not None:
        outcome.keys += await people.keys_from_bus(reader, store, access, living, plan.serves)
    elif access is not None:
        outcome.notes.append(f"Keys were not taken from the bus: {access.problem}")
    if access is not None and plan.keys is not None:
        outcome.keys += await people.keys_from_file(*plan.keys, store, living)
    outcome.keyless = await people.keyless(store, living)


async def _set_offsets(store: Store, topics: Mapping[str, TopicState], manifest: Manifest) -> None:
    """Let consumers continue at their offsets on topics that are the same as at the backup; on others, and on compacted ones, from the
    first record. Marks make them drop the events that they had taken."""
    same = {name for name, state in topics.items() if state.known_as(manifest.acknowledged.get(name))} - TABLES
    async for each in store["offsets"].find():
        topic = each["topic"]
        # An offset beyond the end is of records that the bus has lost.
        if topic not in same or each["next"] > topics[topic].ends.get(each["partition"], 0):
            await store.write("offsets", [DeleteOne({"_id": each["_id"]})])


def _note(report: Report) -> Callable[[str, int], None]:
    return lambda topic, so_far: report(f"from the bus: {topic}", so_far, so_far)


def _prefixed(report: Report, prefix: str, label: str, so_far: int, expected: int) -> None:
    report(f"{prefix}{label}", so_far, expected)
