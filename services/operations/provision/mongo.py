"""Provisioning of MongoDB: a replica set, a user for each service with rights on its own database alone, and every index.

Invariant: an existing replica set is not changed. Afterwards a user has the rights of this module and no others.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from services import vault
from services.contracts.topics import SERVICES
from services.operations.provision.rights import user_of
from services.runtime import serving
from services.settings import Misconfigured, Settings
from services.store.errors import is_transient
from services.store.mongo import PyMongoError, Store

PATIENCE = 120.0  # seconds for a server that is just starting, and until a set that was just founded has a primary


async def found_set(administrator: Settings) -> None:
    """Found the replica set that the address names, if its only host belongs to none. Returns when there is a primary; Misconfigured
    when there is none within PATIENCE."""
    url = urlsplit(administrator.mongo)
    login, _, host = url.netloc.rpartition("@")
    name = parse_qs(url.query).get("replicaSet", [""])[0]
    # Of several hosts, only an operator knows which belong together, so such a set is founded by hand.
    if name and "," not in host:
        # A direct connection: a driver that looks for the set finds none yet.
        await _patiently(
            f"{url.scheme}://{login + '@' if login else ''}{host}/?directConnection=true", partial(_found, name, host)
        )
    await _patiently(administrator.mongo, Store.ping)


async def _found(name: str, host: str, direct: Store) -> None:
    if (await direct.db.command("hello")).get("isreplicaset"):  # the sign of a member without a configuration
        await direct.db.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": host}]})


async def _patiently(address: str, what: Callable[[Store], Awaitable[None]]) -> None:
    """Run an action, again after each transient error. Misconfigured after PATIENCE."""
    store, loop = Store(address, "admin"), asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    try:
        while True:
            try:
                return await what(store)
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                if loop.time() > deadline:
                    raise Misconfigured(
                        f"MongoDB has no primary after {PATIENCE:.0f} s: {type(error).__name__}."
                    ) from error
                await asyncio.sleep(0.5)
    finally:
        await store.close()


async def make_users(administrator: Settings, passwords: Mapping[str, str]) -> None:
    """Make a user for each service, in the database `admin`, which sharded clusters require. `passwords` is by service."""
    store = Store(administrator.mongo, "admin")
    try:
        for service, password in passwords.items():
            user = user_of(service, administrator.database)
            roles = [{"role": "readWrite", "db": administrator.database_of(service)}]
            # A second run has to correct password and rights, and `createUser` refuses a user that exists.
            known = (await store.db.command("usersInfo", user))["users"]
            await store.db.command("updateUser" if known else "createUser", user, pwd=password, roles=roles)
    finally:
        await store.close()


async def make_indexes(administrator: Settings) -> None:
    """Make collections, indexes and topics of every service by its own `prepare`, since only an assembled service knows them. It gets
    fresh keys, which open nothing and are thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        vault.make_keys(keys, SERVICES)
        for service in SERVICES:
            one = serving.build(service, administrator.model_copy(update={"keys": keys}))
            try:
                await one.prepare()
            finally:
                await one.stop()
