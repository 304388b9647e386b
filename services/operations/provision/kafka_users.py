"""Users of Kafka and their rights: services, and partners that read their own feed.

Invariants: a user has no right that was not given here; a call returns when its change is in force; no password is sent, only
its salted hash. The cluster keeps users as SCRAM credentials and checks ACLs; otherwise EngineError with Kafka's own reason.

No other module imports confluent-kafka (docs/decisions/0009). The first administrator is not made here: a cluster needs one
before it answers anybody, so services/engines/kafka.py puts those credentials into the storage that it formats.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from services.engines import EngineError, Engines, Sasl
from services.engines.kafka import login_of
from services.operations.provision.rights import Operation, Resource, Right

IN_FORCE = 15.0  # seconds
PAUSE = 0.05  # seconds between two looks at what is in force
ITERATIONS = 8192  # of the salted hash; Kafka's own tools take as many
EVERY_HOST = "*"


async def add_user(engines: Engines, name: str, password: str) -> None:
    """Make a user, or give an existing one a new password; returns when it can log in."""
    how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    async with _administrator(engines) as client:
        await _alter(client, UserScramCredentialUpsertion(name, how, password.encode()))
    login = Sasl(name, password, tls=engines.sasl is not None and engines.sasl.tls)
    await _until(lambda: _logs_in(engines.kafka, login), f"log {name} in")


async def remove_user(engines: Engines, name: str) -> None:
    """Take a user's credentials and rights away. Connections that are open stay so until they log in anew."""
    async with _administrator(engines) as client:
        await _alter(client, UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512))
        await _results(client.delete_acls([_all_of(name)]).values())


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
    added = {
        _binding(user, Right(kind, name, operation, prefixed))
        for kind, name in named.items()
        if name is not None
        for operation in operations
    }
    async with _administrator(engines) as client:
        await _results(client.create_acls(sorted(added)).values())

        async def in_force() -> bool:
            # Not equality: the user may have further rights, which stay.
            return added <= await _bindings(client, user)

        await _until(in_force, f"apply the rights of {user}")


async def set_rights(engines: Engines, user: str, rights: Collection[Right]) -> None:
    """Give a user these rights and no others. A right that stays is in force throughout."""
    wanted = {_binding(user, right) for right in rights}
    async with _administrator(engines) as client:
        present = await _bindings(client, user)
        # An empty list is an error to the client. New rights come first, so that a service that runs meanwhile loses nothing it needs.
        if missing := sorted(wanted - present):
            await _results(client.create_acls(missing).values())
        if surplus := sorted(present - wanted):
            await _results(client.delete_acls([_exactly(each) for each in surplus]).values())

        async def in_force() -> bool:
            return await _bindings(client, user) == wanted

        await _until(in_force, f"apply the rights of {user}")


@asynccontextmanager
async def _administrator(engines: Engines) -> AsyncIterator[AdminClient]:
    """Open a client that is logged in. Raises aiokafka's KafkaConnectionError when the broker is away or refuses the login."""
    # librdkafka repeats a refused login until its request times out a minute later; aiokafka says so at once.
    await _log_in(engines.kafka, engines.sasl)
    yield AdminClient(_settings(engines))


def _settings(engines: Engines) -> dict[str, str | int | float | bool]:
    # librdkafka writes to stderr what each answer says anyway; 0 leaves that to the answers.
    settings: dict[str, str | int | float | bool] = {"bootstrap.servers": engines.kafka, "log_level": 0}
    if engines.sasl is None:
        return settings
    settings |= {
        "security.protocol": "SASL_SSL" if engines.sasl.tls else "SASL_PLAINTEXT",
        "sasl.mechanism": engines.sasl.mechanism,
        "sasl.username": engines.sasl.username,
        "sasl.password": engines.sasl.password,
    }
    paths = ssl.get_default_verify_paths()
    # The wheel brings an OpenSSL of its own, which does not know where this system keeps its certificates.
    if engines.sasl.tls and (location := paths.cafile or paths.capath):
        settings["ssl.ca.location"] = location
    return settings


async def _log_in(brokers: str, login: Sasl | None) -> None:
    client = AIOKafkaClient(bootstrap_servers=brokers, **({} if login is None else login_of(login)))
    try:
        await client.bootstrap()
    finally:
        await client.close()


async def _logs_in(brokers: str, login: Sasl) -> bool:
    try:
        await _log_in(brokers, login)
    except KafkaError:
        return False
    return True


async def _alter(client: AdminClient, alteration: UserScramCredentialAlteration) -> None:
    await _results(client.alter_user_scram_credentials([alteration]).values())


async def _bindings(client: AdminClient, user: str) -> set[AclBinding]:
    """Read all rights of the user, given here or by others."""
    (found,) = await _results([client.describe_acls(_all_of(user))])
    return set(found)


async def _results(futures: "Iterable[Future[Any]]") -> list[Any]:
    """Wait for each answer. EngineError with Kafka's reason at the first refusal."""
    try:
        return [await asyncio.wrap_future(each) for each in futures]
    except KafkaException as error:
        raise EngineError(f"Kafka refused: {error.args[0].str()}") from error


async def _until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait, since a broker answers before it has applied a change to users or rights. EngineError after IN_FORCE."""
    try:
        async with asyncio.timeout(IN_FORCE):
            while not await holds():
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise EngineError(f"Kafka did not {what} within {IN_FORCE:.0f} s.") from None


def _binding(user: str, right: Right) -> AclBinding:
    return AclBinding(
        ResourceType[right.resource],
        right.name,
        ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
        f"User:{user}",
        EVERY_HOST,
        AclOperation[right.operation],
        AclPermissionType.ALLOW,
    )


def _exactly(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )


def _all_of(user: str) -> AclBindingFilter:
    return AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # any name, as its documentation says and its annotation does not
        ResourcePatternType.ANY,
        f"User:{user}",
        None,  # type: ignore[arg-type]  # any host
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
