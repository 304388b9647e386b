"""MongoDB, made ready: a replica set, a user for each service that has its own database and nothing else, and every index.

Invariant: a set that is there is left as it is; what a user may do afterwards is what is said here, also when it was more before.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from services import house, vault
from services.contracts.topics import SERVICES
from services.provision.rights import user_of
from services.settings import Misconfigured, Settings
from services.store import PyMongoError, Store, passes

PRIMARY = 60.0  # seconds until a set that was just founded has one


async def found_set(administrator: Settings) -> None:
    """Found the replica set that the address names, if its only host belongs to none yet. Returns when there is a primary; Misconfigured
    when there is none."""
    url = urlsplit(administrator.mongo)
    login, _, host = url.netloc.rpartition("@")
    name = parse_qs(url.query).get("replicaSet", [""])[0]
    if name and "," not in host:
        direct = Store(f"{url.scheme}://{login + '@' if login else ''}{host}/?directConnection=true", "admin")
        try:
            if (await direct.db.command("hello")).get("isreplicaset"):  # as a member says that waits to be told its set
                await direct.db.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": host}]})
        finally:
            await direct.close()
    await _primary(administrator.mongo)


async def _primary(address: str) -> None:
    store = Store(address, "admin")
    try:
        async with asyncio.timeout(PRIMARY):
            while not await _answers(store):
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise Misconfigured(f"MongoDB has no primary after {PRIMARY:.0f} s.") from None
    finally:
        await store.close()


async def _answers(store: Store) -> bool:
    try:
        await store.ping()
    except PyMongoError as error:
        if not passes(error):
            raise
        return False
    return True


async def make_users(administrator: Settings, passwords: Mapping[str, str]) -> None:
    """A user for each service (`passwords`, by service), in the database `admin`, as sharded clusters want it."""
    store = Store(administrator.mongo, "admin")
    try:
        for service, password in passwords.items():
            user = user_of(service, administrator.database)
            roles = [{"role": "readWrite", "db": administrator.database_of(service)}]
            known = (await store.db.command("usersInfo", user))["users"]
            await store.db.command("updateUser" if known else "createUser", user, pwd=password, roles=roles)
    finally:
        await store.close()


async def make_indexes(administrator: Settings) -> None:
    """Collections, indexes and topics of every service, as each would make them itself. What they are is known to the service put
    together; it is given keys of nobody, since it opens nothing."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        vault.make_keys(keys, SERVICES)
        for service in SERVICES:
            one = house.build(service, administrator.model_copy(update={"keys": keys}))
            try:
                await one.prepare()
            finally:
                await one.stop()
