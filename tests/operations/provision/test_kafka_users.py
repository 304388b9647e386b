"""Settings of the clients that administer Kafka: they reach every broker, by TLS where the cluster has it."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.engines import Engines, Sasl
from services.operations.provision import kafka_users

BROKERS = "one.example:9093,two.example:9093"


def engines(sasl: Sasl | None) -> Engines:
    return Engines(BROKERS, "mongodb://nowhere", sasl)


def test_a_cluster_with_tls_is_reached_by_tls_with_the_certificates_of_this_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, __file__)
    settings = kafka_users._settings(engines(Sasl("admin", "secret", "PLAIN", tls=True)))
    assert settings["bootstrap.servers"] == BROKERS
    assert settings["security.protocol"] == "SASL_SSL"
    assert settings["ssl.ca.location"] == __file__
    assert (settings["sasl.mechanism"], settings["sasl.username"]) == ("PLAIN", "admin")


def test_a_cluster_without_users_is_reached_without_a_login() -> None:
    assert not [name for name in kafka_users._settings(engines(None)) if name.startswith(("sasl", "security", "ssl"))]


@pytest.mark.parametrize("tls", [True, False])
async def test_a_new_user_is_tried_at_every_broker_in_the_way_of_the_administrator(
    monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    tried: list[tuple[str, Sasl]] = []

    @asynccontextmanager
    async def administrator(_: Engines) -> AsyncIterator[Any]:
        yield None

    async def alter(*_: Any) -> None:
        return

    async def logs_in(brokers: str, login: Sasl) -> bool:
        tried.append((brokers, login))
        return True

    for name, fake in {"_administrator": administrator, "_alter": alter, "_logs_in": logs_in}.items():
        monkeypatch.setattr(kafka_users, name, fake)
    await kafka_users.add_user(engines(Sasl("admin", "secret", tls=tls)), "cgil", "word")
    assert tried == [(BROKERS, Sasl("cgil", "word", tls=tls))]
