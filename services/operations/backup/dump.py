"""Dump of all five databases at one moment, while the services run.

Invariants: every read is at one cluster time that a majority had. Keys of persons are left out of every collection. Nothing reaches the
disk in the clear. An existing file is not changed; an incomplete backup has no manifest and another name.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from services.contracts.topics import KEYS
from services.operations.backup import archive, documents
from services.operations.backup.manifest import Collection, Manifest, Part, Report, Topic
from services.operations.backup.sources import MANIFEST, Archive, check
from services.settings import Misconfigured
from services.store.mongo import Document, Store
from services.store.people import ErasedPerson
from services.vault import BackupKeys

LEFT_OUT = {
    "assignments",
    "keys",
    "leases",
    "levels",
}  # keys open people's data; the others are true only while something runs
KEY_TOPICS = [KEYS.name, f"{KEYS.name}.dead"]
# Outbox rows and dead letters hold records too, so the filter applies to every collection.
KEYLESS: Document = {"$nor": [{"topic": {"$in": KEY_TOPICS}, "value": {"$ne": None}}]}


Also = Callable[[Any, Any], None]


@dataclass(frozen=True, slots=True)
class DumpPlan:
    """The input of a dump. `keys` encrypt the backup. `also` is called with the databases by service and the moment, to dump what
    belongs elsewhere. `register`: the registers of erased persons alone."""

    path: Path
    keys: BackupKeys
    also: Also | None = None
    register: bool = False


def dump(stores: Mapping[str, Store], plan: DumpPlan, report: Report) -> Manifest:
    """Dump these services' databases into a new file and verify it. Blocks, so call it in a thread. Misconfigured when the file exists,
    or its key is kept beside it."""
    archive.refuse_beside(plan.path, plan.keys)
    draft = plan.path.with_name(f"{plan.path.name}.partial")
    for each in (plan.path, draft):
        if each.exists():
            raise Misconfigured(f"{each} exists already: a backup overwrites nothing. Name another file, or remove it.")
    plan.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        databases = {service: store.bare for service, store in stores.items()}
        archive.write(draft, plan.keys, _pieces(databases, plan, report))
        manifest = check(Archive(draft, plan.keys)).manifest
        draft.rename(plan.path)  # last, so that only a complete and verified backup has the name
    except BaseException:  # an interrupt too must not leave a file that looks like a backup
        draft.unlink(missing_ok=True)
        raise
    return manifest


def _pieces(databases: Mapping[str, Any], plan: DumpPlan, report: Report) -> Iterator[archive.Piece]:
    first = next(iter(databases.values()))
    listed = {service: _listed(database, plan) for service, database in databases.items()}
    # After the list: a collection that is made later than the moment cannot be read at it.
    moment, made = documents.snapshot(first), datetime.now(UTC)
    parts = {}
    for service, database in databases.items():
        held: dict[str, Collection] = {}
        for name in listed[service]:
            held[name] = yield from _copy(database, service, name, moment, report)
        parts[service] = Part(database=database.name, collections=held, acknowledged=_acknowledged(database, moment))
    if plan.also is not None:
        plan.also(databases, moment)
    manifest = Manifest(
        kind="register" if plan.register else "backup",
        made=made,
        software=version("ama-lavoro"),
        mongo=str(first.command("buildInfo")["version"]),
        replica_set=first.command("hello").get("setName"),
        moment=(moment.time, moment.inc),
        parts=parts,
    )
    yield MANIFEST, manifest.model_dump_json(indent=1).encode()


def _listed(database: Any, plan: DumpPlan) -> list[str]:
    found = database.list_collection_names(filter={"type": "collection"})
    if plan.register:
        return [name for name in found if name == ErasedPerson.collection]
    return sorted(name for name in found if name not in LEFT_OUT and not name.startswith("system."))


def _copy(
    database: Any, service: str, name: str, moment: Any, report: Report
) -> Generator[archive.Piece, None, Collection]:
    # For the progress alone; an exact number would take a scan of the collection.
    expected = database[name].estimated_document_count()
    summary = documents.Summary()
    pieces = documents.in_pieces(
        documents.stream(database, name, moment, KEYLESS),
        summary,
        lambda so_far: report(f"{service} {name}", so_far, max(expected, so_far)),
    )
    for number, piece in enumerate(pieces):
        yield f"{service}/{name}/{number:08}.bson", piece
    indexes = [_plain(each) for each in database[name].list_indexes()]
    return Collection(documents=summary.documents, bytes=summary.bytes, sha256=summary.sha256, indexes=indexes)


def _plain(index: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an index so that it can be made again. Its key becomes a list: an object of JSON promises no order of fields."""
    return {**{name: value for name, value in index.items() if name not in {"v", "ns"}}, "key": [*index["key"].items()]}


def _acknowledged(database: Any, moment: Any) -> dict[str, Topic]:
    found = {}
    for each in documents.stream(database, "topics", moment):
        known = documents.decode(each.raw)
        topic = Topic(id=known.get("id"), ends=known.get("ends", {}), generation=known.get("generation", 0))
        found[known["_id"]] = topic
    return found
