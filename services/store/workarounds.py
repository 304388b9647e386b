"""The members of PyMongo and Motor that they do not promise to keep, and what each is needed for.

Invariant: no other module of the package uses one. `tests/store/test_workarounds.py` fails when a new version of the libraries has to be
looked at, or when one of these members is gone.
"""

from typing import Any

from motor.motor_asyncio import AsyncIOMotorClientSession

SEEN_IN = {"motor": "3.7", "pymongo": "4.20"}  # the versions whose source was read


def driver_of(motor_object: Any) -> Any:
    """Return the PyMongo object behind a client, database, collection or session of Motor.

    Motor runs each call in a thread of its own; through PyMongo one thread can run several statements. `delegate` has no underscore and is
    not documented. Source: `motor/core.py`, `AgnosticBase.__init__`. There is no upstream issue; PyMongo's own asynchronous client, which
    replaces Motor, makes this unnecessary.
    """
    return motor_object.delegate


def new_session(client: Any) -> AsyncIOMotorClientSession:
    """Return a session of Motor without a change of thread: PyMongo's `start_session` asks no server.

    `AsyncIOMotorClient.start_session` runs it in a thread all the same. Source: `motor/core.py`, `AgnosticClient.start_session`.
    """
    return AsyncIOMotorClientSession(driver_of(client).start_session(), client)


def drop_connections(client: Any) -> None:
    """Drop every pooled connection of a Motor client, so that the next call opens a new one.

    PyMongo notes once for each connection whether its server supports sessions. A connection to a server that has just started, and is in
    no replica set yet, keeps "no" for ever, and the pool hands it out again. Source: `pymongo/synchronous/pool.py`,
    `Connection._hello` (`supports_sessions`) and `Pool.reset_without_pause`; `pymongo/synchronous/topology.py`, `Topology._servers`. The
    public alternative is to close the client. No upstream issue was found.
    """
    for server in list(driver_of(client)._topology._servers.values()):  # noqa: SLF001  # see above
        server.pool.reset_without_pause()
