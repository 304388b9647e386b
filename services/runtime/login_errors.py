"""Log-ins that an engine refuses: the start ends with one sentence that names the user and the remedy, instead of a trace.

Invariant: any other error is raised as it is; an engine that is away is no refusal.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError, SaslAuthenticationFailed

from services.events.bus.client import Bus
from services.settings import Misconfigured, Settings
from services.store.errors import refuses_login
from services.store.mongo import PyMongoError

REMEDY = (
    "the user does not exist there, or has another password than the given one. `ama provision` sets it again; with Docker: "
    "`docker compose run --rm --no-deps provision`."
)

ADMINISTRATOR = (
    "an administrator's password is what the engine has, not what the secrets hold. MongoDB keeps its own until it is changed "
    "there, Kafka takes the one it is started with: docs/operations.md says how to change each."
)


@asynccontextmanager
async def explained(given: Settings, remedy: str = REMEDY) -> AsyncIterator[None]:
    """Guard a block that logs in to both engines. Misconfigured when one of them refuses its user."""
    try:
        yield
    except PyMongoError as error:
        if refuses_login(error):
            raise Misconfigured(f"MongoDB refuses {given.mongo_user}: {remedy}") from error
        raise
    except KafkaConnectionError as error:  # aiokafka raises it for every reason
        if await _kafka_refuses(given):
            raise Misconfigured(f"Kafka refuses {given.sasl_username}: {remedy}") from error
        raise


async def _kafka_refuses(given: Settings) -> bool:
    """Ask the brokers: True when one of them answers and refuses this user."""
    if given.sasl_username is None:
        return False
    arguments = Bus(given).client()
    for broker in arguments.pop("bootstrap_servers").split(","):
        host, _, port = broker.strip().rpartition(":")
        try:
            (await create_conn(host, int(port), request_timeout_ms=5_000, **arguments)).close()
        except SaslAuthenticationFailed:
            return True
        except (OSError, KafkaError, TimeoutError):
            # This broker is away, which is no refusal; another one may answer.
            continue
    return False
