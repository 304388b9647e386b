"""Load of a backup into the databases of its services, before any of them starts.

Invariants: a database with content is replaced only when that was asked for. A half restored database is marked, and no service starts on
it. State of the former process (leases, the position in the oplog) is not loaded.
"""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from services.events.outbox.position import relay_runs
from services.operations.backup import documents
from services.operations.backup.manifest import Collection, Manifest, Part, Report
from services.operations.backup.sources import Source
from services.settings import Misconfigured
from services.store.clock import now_utc
from services.store.mongo import Store
from services.store.restored import STATE, RestoreState, half_restored

STATE_OF_RESTORE = RestoreState.collection
RUNNING = {
    "answers",
    "assignments",
    "deliveries",
    "leases",
    "levels",
    "looks",
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
    if manifest.kind != "backup":
        raise Misconfigured("This is a register of erasures and refusals, not a backup: name it with --register.")
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


def load(stores: Mapping[str, Store], source: Source, manifest: Manifest, report: Report) -> None:
    """Replace the databases of these services by those of the backup, and mark them as half restored until the restore is complete."""
    databases = {service: store.bare for service, store in stores.items()}
    for service, database in databases.items():
        _empty(database, manifest, manifest.parts[service])
    inserted: Counter[tuple[str, str]] = Counter()
    for service, name, stored in source.parts():
        if service not in databases or name == STATE_OF_RESTORE:  # the mark of this restore stays
            continue
        expected, before = manifest.parts[service].collections[name].documents, inserted[service, name]
        progress = partial(_report, report, f"{service} {name}", expected, before)
        inserted[service, name] += documents.insert(databases[service][name], stored, progress)
    for service, database in databases.items():
        for name, held in manifest.parts[service].collections.items():
            if name != STATE_OF_RESTORE and inserted[service, name] != held.documents:
                raise documents.Damaged(f"{service}/{name} in {source.path} is not what was written")
            _make_indexes(database, name, held)
        # The lease and the oplog position of the former relay mean nothing on this cluster.
        database["relay"].update_many({}, {"$set": {"token": None, "holder": None}, "$unset": {"until": ""}})


def _empty(database: Any, manifest: Manifest, part: Part) -> None:
    for name in database.list_collection_names(filter={"type": "collection"}):
        if name != STATE_OF_RESTORE and not name.startswith("system."):
            database.drop_collection(name)
    # The mark comes before the first document: an interrupted load must not look like a small database.
    mark = {"whole": False, "backup": manifest.made, "at": now_utc()}
    database[STATE_OF_RESTORE].replace_one({"_id": STATE}, mark, upsert=True)
    for name in part.collections:
        if name not in database.list_collection_names():
            database.create_collection(name)


def _make_indexes(database: Any, name: str, held: Collection) -> None:
    # After the documents, since building one is faster than keeping it at each insert.
    for index in held.indexes:
        if index["name"] != "_id_":
            options = {option: value for option, value in index.items() if option != "key"}
            database[name].create_index([(field, order) for field, order in index["key"]], **options)


def _report(report: Report, label: str, expected: int, before: int, so_far: int) -> None:
    report(label, before + so_far, expected)
