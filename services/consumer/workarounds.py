"""Private attributes of PyMongo and Motor that the kit uses, each with the version that it was seen in and the place in the source.

Invariant: no other module of the kit uses a private attribute of a library. `tests/consumer/test_workarounds.py` fails when the drivers
change what is used here.
"""

import inspect
from typing import Any

SEEN_IN = {"pymongo": "4.20", "motor": "3.7"}


async def drop_connections(client: Any) -> None:
    """Drop every pooled connection of the client: Motor's, PyMongo's asynchronous one, or its plain one.

    A connection that was made while a server was starting does not know the replica set, and so has no sessions. PyMongo 4.20 (pool.py,
    topology.py) keeps it, takes it again and again, and has no public method to drop it. No upstream issue is known.
    """
    driver = vars(client).get("delegate", client)  # Motor 3.7 (core.py, AgnosticBase) keeps PyMongo's client there
    for server in list(driver._topology._servers.values()):  # noqa: SLF001
        await now(server.pool.reset_without_pause())


async def now(value: Any) -> Any:
    """The result of a driver's call: the plain client returns it, the others return an awaitable."""
    return await value if inspect.isawaitable(value) else value
