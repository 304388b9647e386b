"""Each service is a user of Kafka of its own: what the catalogue says it does, and the rest is tried and refused."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    for_code,
)
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from services.contracts.topics import SERVICES, TOPICS
from services.embedded.home import Home, signed_in
from services.engines import EngineError, Engines, Sasl
from services.engines.kafka import login_of
from services.operations.provision.kafka import make_users
from services.operations.provision.kafka_users import add_user, allow, set_rights
from services.operations.provision.rights import Operation, Resource, Right, rights_of, user_of
from services.scenarios.client import ScenarioClient
from services.scenarios.smoke import PROGRAMME, new_seed, smoke
from tests.helpers.traffic import produce, subscribe
from tests.operations.provision.conftest import login

FEED = "ama.feed.prova"
ALL = [*TOPICS, FEED]
PEOPLES = {"ama.enrolment.restricted", "ama.grouping.restricted", "ama.sessions.restricted", "ama.enrolment.contacts"}

# Written out by hand from the design, so that a slip in what derives it is seen.
READS = {
    "enrolment": {"ama.enrolment.restricted", "ama.sessions.restricted"},
    "grouping": {"ama.enrolment.restricted", "ama.grouping.restricted"},
    "sessions": {"ama.sessions.restricted"},
    "notifications": {"ama.enrolment.contacts", "ama.enrolment.restricted", "ama.sessions.restricted", FEED},
    "analytics": {"ama.enrolment.restricted", "ama.sessions.restricted"},
}
WRITES = {
    "enrolment": {
        "ama.enrolment",
        "ama.enrolment.restricted",
        "ama.enrolment.keys",
        "ama.enrolment.contacts",
        "ama.programmes",
    },
    "grouping": {"ama.grouping", "ama.grouping.restricted"},
    "sessions": {"ama.sessions", "ama.sessions.restricted"},
    "notifications": {"ama.notifications", FEED},
    "analytics": {"ama.analytics"},
}
OPEN = {
    "ama.programmes",
    "ama.enrolment",
    "ama.enrolment.keys",
    "ama.grouping",
    "ama.sessions",
    "ama.notifications",
    "ama.analytics",
}


def reads(service: str) -> set[str]:
    return OPEN | READS[service]


def writes(service: str) -> set[str]:
    return WRITES[service] | {f"{topic}.dead" for topic in reads(service) if topic != FEED}


def user(home: Home, service: str) -> Sasl:
    """As the service logs in."""
    return login(home.all_services.services[service].settings)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def said(secured: Home, administered: Engines) -> None:
    """First what there is is used as it is meant to be, so that the feeds are there; then each topic has something to read."""
    stage = ScenarioClient(
        secured.base, _token(secured), secured.all_services.services["grouping"].rules[PROGRAMME], 0, lambda *_: None
    )
    stage.seed = new_seed()
    steps: list[str] = []
    async with stage:
        await smoke(stage, steps.append)
    assert len(steps) == 6
    for service in secured.all_services.services.values():
        await service.stop()  # what is tried from here on would be dead letters to them
    await asyncio.gather(*(produce(administered, administered.sasl, topic, "said", transaction=None) for topic in ALL))


def _token(home: Home):  # type: ignore[no-untyped-def]
    return lambda role, subject, partner: home.token(role, PROGRAMME, subject, partner)


def test_every_service_is_another_user_and_none_is_the_administrator(secured: Home) -> None:
    users = {service: user(secured, service).username for service in SERVICES}
    assert users == {service: user_of(service, "ama") for service in SERVICES}
    assert len({user(secured, service).password for service in SERVICES}) == len(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
async def test_on_mongodb_too_it_has_a_user_with_its_own_database_alone(secured: Home, service: str) -> None:
    address = secured.all_services.services[service].settings.mongo
    with MongoClient[dict[str, Any]](address) as own, MongoClient[dict[str, Any]](signed_in(address)) as stranger:
        own[user_of(service, "ama")]["outbox"].find_one()
        for other in SERVICES:
            with pytest.raises(OperationFailure, match="requires authentication"):
                stranger[user_of(other, "ama")]["outbox"].find_one()
            if other != service:
                with pytest.raises(OperationFailure, match="not authorized"):
                    own[user_of(other, "ama")]["outbox"].find_one()


def test_no_password_of_mongodb_is_in_the_addresses_that_are_shown(secured: Home) -> None:
    assert "@" not in secured.addresses()["MongoDB"]
    assert "@" in secured.settings.mongo


@pytest.mark.parametrize("service", SERVICES)
async def test_it_reads_what_the_catalogue_lets_it_read(secured: Home, administered: Engines, service: str) -> None:
    who, group = user(secured, service), f"{user_of(service, 'ama')}.tried"
    consumer = AIOKafkaConsumer(
        *reads(service),
        bootstrap_servers=administered.kafka,
        group_id=group,
        auto_offset_reset="earliest",
        **login_of(who),
    )
    await consumer.start()
    seen: set[str] = set()
    try:
        async with asyncio.timeout(60):
            while seen != reads(service):
                seen |= {partition.topic for partition in await consumer.getmany(timeout_ms=500)}
        await consumer.commit()
    finally:
        await consumer.stop()


@pytest.mark.parametrize("service", SERVICES)
async def test_it_reads_nothing_else(secured: Home, administered: Engines, service: str) -> None:
    who, group = user(secured, service), f"{user_of(service, 'ama')}.tried"
    forbidden = [*(set(ALL) - reads(service)), "__consumer_offsets"]
    assert PEOPLES & set(forbidden)
    tried = [subscribe(administered, who, topic, group) for topic in forbidden]
    assert [type(each) for each in await asyncio.gather(*tried, return_exceptions=True)] == [
        TopicAuthorizationFailedError
    ] * len(forbidden)


@pytest.mark.parametrize("service", SERVICES)
async def test_it_writes_its_own_and_the_dead_letters_of_what_it_reads_and_nothing_else(
    secured: Home, administered: Engines, service: str
) -> None:
    who, mine = user(secured, service), writes(service)
    outcomes = await asyncio.gather(
        *(produce(administered, who, topic, "tried", transaction=None) for topic in ALL), return_exceptions=True
    )
    written = {topic for topic, outcome in zip(ALL, outcomes, strict=True) if outcome is None}
    refused = {
        topic
        for topic, outcome in zip(ALL, outcomes, strict=True)
        if isinstance(outcome, TopicAuthorizationFailedError)
    }
    assert (written, refused) == (mine, set(ALL) - mine)


@pytest.mark.parametrize("service", SERVICES)
async def test_it_joins_no_other_group_and_fences_nobody_else(
    secured: Home, administered: Engines, service: str
) -> None:
    who = user(secured, service)
    other = SERVICES[SERVICES.index(service) - 1]
    for group in (f"{user_of(other, 'ama')}.reactions", "prova.desk", user_of(service, "ama")):
        with pytest.raises(GroupAuthorizationFailedError):
            await subscribe(administered, who, "ama.enrolment", group)
    feeds = [] if service == "notifications" else ["ama.notifications.feeds"]
    for transaction in (f"{user_of(other, 'ama')}.relay", *feeds, "of-nobody"):
        producer = AIOKafkaProducer(bootstrap_servers=administered.kafka, transactional_id=transaction, **login_of(who))
        with pytest.raises(
            (TransactionalIdAuthorizationFailed, KafkaError), match="TransactionalIdAuthorizationFailed"
        ):
            await producer.start()
        await producer.stop()


@pytest.mark.parametrize("service", SERVICES)
async def test_it_makes_and_deletes_no_topic_and_gives_no_rights(
    secured: Home, administered: Engines, service: str
) -> None:
    who = user(secured, service)
    admin = AIOKafkaAdminClient(bootstrap_servers=administered.kafka, **login_of(who))
    await admin.start()
    try:
        made = await admin.create_topics([NewTopic(f"ama.{service}.other", 1, 1)])
        gone = await admin.delete_topics([f"ama.{service}"])
        seen = await admin.list_topics()
    finally:
        await admin.close()
    codes = [for_code(errors[0][1]) for errors in (made.topic_errors, gone.topic_error_codes)]
    assert codes == [TopicAuthorizationFailedError] * 2
    feeds = {topic for topic in seen if topic.startswith("ama.feed.")}
    assert set(seen) == reads(service) | writes(service) | feeds
    assert bool(feeds) is (service == "notifications")
    as_it = Engines(administered.kafka, administered.mongo, who)
    for attempt in (
        allow(as_it, who.username, [Operation.READ], topic="ama.enrolment.contacts"),
        add_user(as_it, "intruder", "x"),
    ):
        with pytest.raises(EngineError, match="refused"):
            await attempt


async def test_made_again_with_a_smaller_catalogue_a_user_loses_what_it_had(administered: Engines) -> None:
    passwords = {"grouping": "another"}
    await make_users(administered, passwords, "again")
    who = Sasl(user_of("grouping", "again"), "another")
    await produce(administered, who, "ama.grouping", "tried", transaction=None)
    fewer = [right for right in rights_of("grouping", "again") if right.name != "ama.grouping"]
    await set_rights(administered, who.username, fewer)
    with pytest.raises(TopicAuthorizationFailedError):
        await produce(administered, who, "ama.grouping", "tried", transaction=None)
    await produce(administered, who, "ama.grouping.dead", "tried", transaction=None)


def test_no_right_is_wider_than_a_topic_but_for_partners_feeds_and_a_services_own_groups() -> None:
    wide = {right for service in SERVICES for right in rights_of(service, "ama") if right.prefixed}
    assert {(right.resource, right.name) for right in wide} == {
        (Resource.TOPIC, "ama.feed."),
        *((Resource.GROUP, f"ama_{service}.") for service in SERVICES),
    }
    everything = [Right(kind, "*", operation) for kind in Resource for operation in Operation]
    assert not [right for service in SERVICES for right in rights_of(service, "ama") if right in everything]
