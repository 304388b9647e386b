"""Load of a backup into the databases of its services, before any of them starts.

Invariants: a database with content is replaced only when that was asked for. A half restored database is marked, and no service starts on
it. State of the former process (leases, the position in the oplog) is not loaded.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from services.events.outbox.position import relay_runs
from services.operations.backup import documents
from services.operations.backup.manifest import Manifest, Part, Report, file_of
from services.settings import Misconfigured
from services.store.mongo import Store
from services.store.restored import STATE, half_restored

RUNNING = {
    "answers",
    "deliveries",
    "leases",
    "levels",
    "offsets",
    "projections",
    "relay",
    "restored",
    "topics",
}  # filled by every start of a service


def is_empty(store: Store) -> bool:
    """Tell if the database has no content. The collections of RUNNING have some in every service that was ever started."""
    names = store.bare.list_collection_names(filter={"type": "collection"})
    return not any(store.bare[name].find_one({}, {"_id": 1}) for name in names if name not in RUNNING)


def is_half_restored(store: Store) -> bool:
    """Tell if a restore of the database was begun and not completed."""
    return store.bare["restored"].find_one({"_id": STATE, "whole": False}) is not None


def check_targets(stores: Mapping[str, Store], manifest: Manifest, *, replace: bool) -> None:
    """Raise Misconfigured when one of the databases must not be restored. Blocks, so call it in a thread, as all of this module."""
    for service, store in stores.items():
        if service not in manifest.parts:
            raise Misconfigured(f"The backup has nothing of {service}; it has {', '.join(manifest.parts)}.")
        if relay_runs(store):
            raise Misconfigured(f"{service} runs: stop every copy of it, and restore then.")
        if not replace and is_half_restored(store):
            raise half_restored(store)
        if not replace and not is_empty(store):
            raise Misconfigured(
                f"{store.name} is not empty. With --replace, what it holds is deleted, and the backup put in its place."
            )


def load(stores: Mapping[str, Store], folder: Path, manifest: Manifest, report: Report) -> None:
    """Replace the databases of these services by those of the backup, and mark them as half restored until the restore is complete."""
    for service, store in stores.items():
        database = store.bare
        for name in database.list_collection_names(filter={"type": "collection"}):
            if name != "restored" and not name.startswith("system."):
                database.drop_collection(name)
        # The mark comes before the first document: an interrupted load must not look like a small database.
        database["restored"].replace_one({"_id": STATE}, {"whole": False, "backup": manifest.made}, upsert=True)
        _load_service(database, service, folder, manifest.parts[service], report)
        # The lease and the oplog position of the former relay mean nothing on this cluster.
        database["relay"].update_many({}, {"$set": {"token": None, "holder": None}, "$unset": {"until": ""}})


def _load_service(database: Any, service: str, folder: Path, part: Part, report: Report) -> None:
    for name, held in part.collections.items():
        if name == "restored":  # the mark of this restore stays
            continue
        if name not in database.list_collection_names():
            database.create_collection(name)
        stored = documents.read(file_of(folder, service, name))
        progress = partial(_report, report, f"{service} {name}", held.documents)
        if documents.insert(database[name], stored, progress) != held.documents:
            raise documents.Damaged(f"{file_of(folder, service, name)} is not what was written")
        # Indexes come last, since building one is faster than keeping it at each insert.
        for index in held.indexes:
            if index["name"] != "_id_":
                options = {option: value for option, value in index.items() if option != "key"}
                database[name].create_index([(field, order) for field, order in index["key"]], **options)


def _report(report: Report, label: str, expected: int, so_far: int) -> None:
    report(label, so_far, expected)
