"""Kafka under TLS: every client can be made, and a server without TLS is reported as unreachable."""

import pytest
from aiokafka.errors import KafkaError

from services.events.bus.client import Bus
from services.settings import Settings


@pytest.mark.parametrize("user", [None, "ama"])
async def test_clients_speak_tls_where_the_settings_say_so(settings: Settings, user: str | None) -> None:
    bus = Bus(settings.model_copy(update={"kafka_tls": True, "sasl_username": user, "sasl_password": "secret"}))
    with pytest.raises(KafkaError):
        await bus.ping()
    broker = bus.broker()
    assert broker.specification.security is not None
    assert broker.specification.security.use_ssl
    with pytest.raises(KafkaError):
        await broker.start()
    await broker.stop()
