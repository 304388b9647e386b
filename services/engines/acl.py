"""Users of Kafka and their rights: services, and partners that read their own feed.

Invariants: a user may do nothing that was not allowed here; a call returns when its change is in force. It works on
any cluster that keeps its users as SCRAM credentials and checks ACLs, and raises EngineError with Kafka's own reason
on any other.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from enum import IntEnum
from functools import partial
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from services.engines.embedded import Engines
from services.engines.errors import EngineError
from services.engines.kafka import Sasl, answers, login_of
from services.engines.scram import AlterScram

IN_FORCE = 15.0  # seconds
ANY, LITERAL, PREFIXED, ALLOW = 1, 3, 4, 3
EVERY_HOST = "*"
CLUSTER = "kafka-cluster"  # the only name of a resource of that kind


class Operation(IntEnum):
    """Operations that can be allowed; the numbers are Kafka's."""

    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12


class Resource(IntEnum):
    """Kinds of resources; the numbers are Kafka's."""

    TOPIC = 2
    GROUP = 3
    CLUSTER = 4
    TRANSACTIONAL_ID = 5


class Right(NamedTuple):
    """One operation on one resource; `prefixed`: on each whose name starts so."""

    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False


async def add_user(engines: Engines, name: str, password: str) -> None:
    """Make a user, or give an existing one a new password; returns when it can log in."""
    async with _administrator(engines) as client:
        await _alter(client, AlterScram(name, password))
    await _until(lambda: answers(engines.kafka, Sasl(name, password)), f"log {name} in")


async def remove_user(engines: Engines, name: str) -> None:
    """Delete a user's credentials and rights. Open connections stay open until they log in again."""
    async with _administrator(engines) as client:
        await _alter(client, AlterScram(name, None))
        response = await _send(client, DeleteAclsRequest(ANY, None, ANY, f"User:{name}", None, ANY, ANY))
        for code, message, _matching in response.filter_responses:
            _raise_if(code, message)


async def allow(
    engines: Engines,
    user: str,
    operations: Collection[Operation],
    *,
    topic: str | None = None,
    group: str | None = None,
    transactional_id: str | None = None,
    prefixed: bool = False,
) -> None:
    """Allow a user operations on each resource that is named (`prefixed`: all whose name starts so), from any host."""
    named = {Resource.TOPIC: topic, Resource.GROUP: group, Resource.TRANSACTIONAL_ID: transactional_id}
    rights = [
        (kind, name, PREFIXED if prefixed else LITERAL, f"User:{user}", EVERY_HOST, operation, ALLOW)
        for kind, name in named.items()
        if name is not None
        for operation in operations
    ]
    async with _administrator(engines) as client:
        for right in rights:
            response = await _send(client, CreateAclsRequest(*right))
            for code, message in response.creation_responses:
                _raise_if(code, message)
        for right in rights:
            await _until(partial(_known, client, right), f"apply what {user} may do")


async def entitle(engines: Engines, user: str, rights: Collection[Right]) -> None:
    """Give the user these rights and no others. A right that stays is never removed in between."""
    wanted = {_binding(user, right) for right in rights}
    async with _administrator(engines) as client:
        there = await _bindings(client, user)
        for right in sorted(wanted - there):
            response = await _send(client, CreateAclsRequest(*right))
            for code, message in response.creation_responses:
                _raise_if(code, message)
        for right in sorted(there - wanted):
            response = await _send(client, DeleteAclsRequest(*right))
            for code, message, _matching in response.filter_responses:
                _raise_if(code, message)

        async def so() -> bool:
            return await _bindings(client, user) == wanted

        await _until(so, f"apply what {user} may do")


def _binding(user: str, right: Right) -> tuple[Any, ...]:
    pattern = PREFIXED if right.prefixed else LITERAL
    return (right.resource, right.name, pattern, f"User:{user}", EVERY_HOST, right.operation, ALLOW)


async def _bindings(client: AIOKafkaClient, user: str) -> set[tuple[Any, ...]]:
    """Return all bindings of the user, in the form in which requests name them."""
    response = await _send(client, DescribeAclsRequest(ANY, None, ANY, f"User:{user}", None, ANY, ANY))
    _raise_if(response.error_code, response.error_message)
    return {(kind, name, pattern, *acl) for kind, name, pattern, acls in response.resources for acl in acls}


@asynccontextmanager
async def _administrator(engines: Engines) -> AsyncIterator[AIOKafkaClient]:
    login = {} if engines.sasl is None else login_of(engines.sasl)
    client = AIOKafkaClient(bootstrap_servers=engines.kafka, **login)
    await client.bootstrap()
    try:
        yield client
    finally:
        await client.close()


async def _send(client: AIOKafkaClient, request: object) -> Any:
    """Send a request to any broker, which passes it on to the controller."""
    return await client.send(client.get_random_node(), request)


async def _alter(client: AIOKafkaClient, request: AlterScram) -> None:
    for _user, code, message, _tags in (await _send(client, request)).results:
        _raise_if(code, message)


async def _known(client: AIOKafkaClient, right: tuple[Any, ...]) -> bool:
    response = await _send(client, DescribeAclsRequest(*right))
    _raise_if(response.error_code, response.error_message)
    return bool(response.resources)


async def _until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(IN_FORCE):
            while not await holds():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise EngineError(f"Kafka did not {what} within {IN_FORCE:.0f} s.") from None


def _raise_if(code: int, message: str | None) -> None:
    if code:
        raise EngineError(f"Kafka refused: {message or for_code(code).description}")
