"""Dump of all five databases at one moment, while the services run.

Invariants: every read is at one cluster time that a majority had. Keys of persons are left out of every collection. An existing folder
is not changed; an incomplete backup has no manifest and another name.
"""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from services.contracts.topics import KEYS
from services.operations.backup import documents
from services.operations.backup.manifest import Collection, Manifest, Part, Report, Topic, check, file_of
from services.settings import Misconfigured
from services.store.mongo import Document, Store

LEFT_OUT = {"keys", "leases", "levels"}  # keys open people's data; the others are true only while something runs
KEY_TOPICS = [KEYS.name, f"{KEYS.name}.dead"]
# Outbox rows and dead letters hold records too, so the filter applies to every collection.
KEYLESS: Document = {"$nor": [{"topic": {"$in": KEY_TOPICS}, "value": {"$ne": None}}]}


def dump(
    stores: Mapping[str, Store], folder: Path, report: Report, also: Callable[[Any, Any], None] | None = None
) -> Manifest:
    """Dump these services' databases into a new folder and verify it. Blocks, so call it in a thread. `also` is called with the
    databases by service and the moment, to dump what belongs elsewhere. Misconfigured when the folder exists."""
    draft = folder.with_name(f"{folder.name}.partial")
    for each in (folder, draft):
        if each.exists():
            raise Misconfigured(
                f"{each} exists already: a backup overwrites nothing. Name another folder, or remove it."
            )
    draft.mkdir(parents=True, mode=0o700)
    try:
        manifest = _dump({service: store.bare for service, store in stores.items()}, draft, report, also)
        manifest.save(draft)
        check(draft)
        draft.rename(folder)  # last, so that only a complete and verified backup has the name
    except BaseException:  # an interrupt too must not leave a folder that looks like a backup
        shutil.rmtree(draft)
        raise
    return manifest


def _dump(
    databases: Mapping[str, Any], folder: Path, report: Report, also: Callable[[Any, Any], None] | None
) -> Manifest:
    first = next(iter(databases.values()))
    listed = {service: _listed(database) for service, database in databases.items()}
    # After the list: a collection that is made later than the moment cannot be read at it.
    moment, made = documents.snapshot(first), datetime.now(UTC)
    parts = {}
    for service, database in databases.items():
        (folder / service).mkdir()
        held = {
            name: _copy(database, name, moment, file_of(folder, service, name), report, service)
            for name in listed[service]
        }
        parts[service] = Part(database=database.name, collections=held, acknowledged=_acknowledged(database, moment))
    if also is not None:
        also(databases, moment)
    return Manifest(
        made=made,
        software=version("ama-lavoro"),
        mongo=str(first.command("buildInfo")["version"]),
        replica_set=first.command("hello").get("setName"),
        moment=(moment.time, moment.inc),
        parts=parts,
    )


def _listed(database: Any) -> list[str]:
    found = database.list_collection_names(filter={"type": "collection"})
    return sorted(name for name in found if name not in LEFT_OUT and not name.startswith("system."))


def _copy(database: Any, name: str, moment: Any, path: Path, report: Report, service: str) -> Collection:
    # For the progress alone; an exact number would take a scan of the collection.
    expected = database[name].estimated_document_count()
    written = documents.write(
        path,
        documents.stream(database, name, moment, KEYLESS),
        lambda so_far: report(f"{service} {name}", so_far, max(expected, so_far)),
    )
    indexes = [_plain(each) for each in database[name].list_indexes()]
    return Collection(documents=written.documents, bytes=written.bytes, sha256=written.sha256, indexes=indexes)


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
