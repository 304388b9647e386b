"""Data that a service holds of a person are told to them: no aggregate and no collection of a service is forgotten."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from services.contracts.topics import SERVICES
from services.kernel import Aggregate
from services.runtime.held import TECHNICAL
from services.runtime.service import Service
from services.settings import Settings
from services.store.collections import COLLECTIONS
from services.store.held import Held

TOLD = {"access", "consents", "contacts"}  # by the chassis
NOBODY = {
    "assignments": "partitions of a consumer",
    "levels": "offsets of topics",
    "offsets": "offsets of a consumer",
    "programmes": "the rules of a programme",
    "projections": "which generation is read",
    "relay": "how far the outbox is sent",
    "restored": "one document about a restore; the people in it are in the backup's own registers",
    "topics": "ids of topics",
}


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest, keys: Path) -> Service:
    """A service that is composed and not started."""
    settings = Settings(kafka="127.0.0.1:1", mongo="mongodb://127.0.0.1:1", keys=keys)
    built: Service = importlib.import_module(f"{request.param}.app").build(settings)
    return built


def forgotten(held: Held, aggregates: Any) -> set[str]:
    """Names of the aggregates that nothing tells and that are not named as holding nobody."""
    return {each.__name__ for each in aggregates if each not in held.tellers and each not in held.nobody}


def test_each_aggregate_of_a_service_is_told_to_its_person_or_holds_nobody(service: Service) -> None:
    assert forgotten(service.held, service.aggregates) == set()
    assert service.held.tellers.keys() | service.held.nobody == set(service.aggregates)
    assert not service.held.tellers.keys() & service.held.nobody


def test_an_aggregate_that_is_forgotten_is_found(service: Service) -> None:
    class Diary(Aggregate):
        noun = "diary"

    assert forgotten(service.held, [*service.aggregates, Diary]) == {"Diary"}


def test_each_collection_of_the_chassis_is_told_or_named_with_the_reason() -> None:
    assert TOLD | TECHNICAL.keys() | NOBODY.keys() == {*COLLECTIONS}
    assert not (TOLD & TECHNICAL.keys()) | (NOBODY.keys() & TECHNICAL.keys())
