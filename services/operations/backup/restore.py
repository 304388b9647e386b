"""A restore from beginning to end: the backup is put back, the bus is heard, people's keys come, and the services may start.

Invariant: the order. What the bus has is known before anything is deleted (a bus that is away stops the restore); who was erased is in
every register, and every sequence that was given is known, before a database counts as whole.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from services.contracts import TOPICS
from services.contracts.topics import CONTACTS, KEYS
from services.events.bus.client import Bus
from services.operations.backup import key_access, load, people
from services.operations.backup.bus_import import Imported, bring_back
from services.operations.backup.bus_reader import Reading, TopicState, reading
from services.operations.backup.key_access import Openers
from services.operations.backup.manifest import Manifest, Report, check
from services.operations.backup.people import People
from services.store import restored
from services.store.mongo import DeleteOne, Store

TABLES = {KEYS.name, CONTACTS.name}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be restored, and from what. `keys`: a sealed file and its passphrase. `folder`: of key files, None where people
    are to stay unreadable. `registers`: other databases or backups whose erased count as well, by `programme/person`."""

    backup: Path
    replace: bool = False
    keys: tuple[Path, str] | None = None
    folder: Path | None = None
    registers: frozenset[str] = frozenset()
    only: frozenset[str] | None = None

    def serves(self, programme: str) -> bool:
        """Whether this programme is one of these databases'."""
        return self.only is None or programme in self.only


@dataclass(slots=True)
class Done:
    """What a restore did. `keyless`: people whose key is nowhere."""

    manifest: Manifest
    imported: dict[str, Imported] = field(default_factory=dict)
    erased: int = 0
    keys: int = 0
    keyless: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def restore(stores: Mapping[str, Store], bus: Bus, wanted: Wanted, report: Report) -> Done:
    """Restore these services. Raises Misconfigured or Damaged before anything is touched; KafkaError when no bus is there."""
    manifest = await asyncio.to_thread(check, wanted.backup, partial(_of, report, "checking "))
    await asyncio.to_thread(partial(load.refuse, stores, manifest, replace=wanted.replace))
    done = Done(manifest)
    async with reading(bus) as bus_now:
        standing = await bus_now.standing(TOPICS)
        living = await people.look(bus_now, manifest.acknowledged, wanted.serves)
        openers = await asyncio.to_thread(_opening, wanted, living, manifest) if "enrolment" in stores else None
        await asyncio.to_thread(load.put, stores, wanted.backup, manifest, report)
        for service, store in stores.items():
            done.imported[service] = await bring_back(
                service, store, bus_now, manifest.acknowledged, wanted.serves, _note(report)
            )
            await _set_offsets(store, standing, manifest)
        before = await people.registered(stores.values())
        living.erased |= before | wanted.registers
        done.erased = len(living.erased - before)
        for store in stores.values():
            await people.forget(store, living.erased)
        if "enrolment" in stores:
            await _bring_keys(stores["enrolment"], bus_now, wanted, openers, living, done)
    for store in stores.values():
        await restored.whole(store)
    return done


def _opening(wanted: Wanted, living: People, manifest: Manifest) -> Openers | None:
    """What opens people's keys, if there is anybody. Misconfigured when it does not."""
    known = manifest.parts["enrolment"].collections.get("worker")
    somebody = living.alive or wanted.keys or (known and known.documents)
    return key_access.tried(wanted.folder, wanted.keys, living.sample) if wanted.folder and somebody else None


async def _bring_keys(
    store: Store, bus_now: Reading, wanted: Wanted, openers: Openers | None, living: People, done: Done
) -> None:
    if openers is not None and openers.service is not None:
        done.keys += await people.keys_from_bus(bus_now, store, openers, living, wanted.serves)
    elif openers is not None:
        done.notes.append(f"Keys were not taken from the bus: {openers.why}")
    if openers is not None and wanted.keys is not None:
        done.keys += await people.keys_from_file(*wanted.keys, store, living)
    done.keyless = await people.keyless(store, living)


async def _set_offsets(store: Store, standing: Mapping[str, TopicState], manifest: Manifest) -> None:
    """Consumers go on where they were, on topics that are still what they were; others, and those that keep tables, from the first record.
    What was taken is dropped by its mark."""
    same = {name for name, there in standing.items() if there.known_as(manifest.acknowledged.get(name))} - TABLES
    async for each in store["offsets"].find():
        topic = each["topic"]
        if topic not in same or each["next"] > standing[topic].ends.get(each["partition"], 0):
            await store.write("offsets", [DeleteOne({"_id": each["_id"]})])


def _note(report: Report) -> Callable[[str, int], None]:
    return lambda what, so_far: report(f"from the bus: {what}", so_far, so_far)


def _of(report: Report, prefix: str, what: str, so_far: int, there: int) -> None:
    report(f"{prefix}{what}", so_far, there)
