"""A backup is put back into the databases of its services, before any of them starts.

Invariants: a database that holds something is left alone unless its replacement was asked for; one that is half restored is told from a
whole one, and no service starts on it; what was only true of the process that ran then (leases, the place in the oplog) does not return.
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
}  # in a service without any work


def empty(store: Store) -> bool:
    """Whether the database holds nothing that somebody did."""
    names = store.bare.list_collection_names(filter={"type": "collection"})
    return not any(store.bare[name].find_one({}, {"_id": 1}) for name in names if name not in RUNNING)


def half(store: Store) -> bool:
    """Whether a restore of it was begun and not ended."""
    return store.bare["restored"].find_one({"_id": STATE, "whole": False}) is not None


def refuse(stores: Mapping[str, Store], manifest: Manifest, *, replace: bool) -> None:
    """Misconfigured when something speaks against restoring these. Runs in a thread, as all here does."""
    for service, store in stores.items():
        if service not in manifest.parts:
            raise Misconfigured(f"The backup has nothing of {service}; it has {', '.join(manifest.parts)}.")
        if relay_runs(store):
            raise Misconfigured(f"{service} runs: stop every copy of it, and restore then.")
        if not replace and half(store):
            raise half_restored(store)
        if not replace and not empty(store):
            raise Misconfigured(
                f"{store.name} is not empty. With --replace, what it holds is deleted, and the backup put in its place."
            )


def put(stores: Mapping[str, Store], folder: Path, manifest: Manifest, report: Report) -> None:
    """Put the backup of these services into their databases, which are half restored until `restored.whole` says otherwise."""
    for service, store in stores.items():
        database = store.bare
        for name in database.list_collection_names(filter={"type": "collection"}):
            if name != "restored" and not name.startswith("system."):
                database.drop_collection(name)
        database["restored"].replace_one({"_id": STATE}, {"whole": False, "backup": manifest.made}, upsert=True)
        _load(database, service, folder, manifest.parts[service], report)
        database["relay"].update_many({}, {"$set": {"token": None, "holder": None}, "$unset": {"until": ""}})


def _load(database: Any, service: str, folder: Path, part: Part, report: Report) -> None:
    for name, held in part.collections.items():
        if name == "restored":
            continue
        if name not in database.list_collection_names():
            database.create_collection(name)
        rows = documents.read(file_of(folder, service, name))
        told = partial(_tell, report, f"{service} {name}", held.documents)
        if documents.put(database[name], rows, told) != held.documents:
            raise documents.Damaged(f"{file_of(folder, service, name)} is not what was written")
        for index in held.indexes:
            if index["name"] != "_id_":
                options = {option: value for option, value in index.items() if option != "key"}
                database[name].create_index([(field, order) for field, order in index["key"]], **options)


def _tell(report: Report, what: str, there: int, so_far: int) -> None:
    report(what, so_far, there)
