"""The AsyncAPI document says what the code does, and a phone can show it."""

import json
from typing import Any

import jsonschema_rs
import pytest

from services.contracts import Restricted
from services.contracts.asyncapi import document, published_by, readable_by
from services.contracts.frozen import Frozen, published
from services.contracts.topics import SERVICES, TOPICS
from tests.contracts.conftest import Declare


def of(service: str, **more: Any) -> dict[str, Any]:
    return document(service, published_by(service), readable_by(service), **{"bootstrap": "kafka.example:9092"} | more)


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        inner = [
            found for key, value in node.items() if key not in ("examples", "default") for found in references(value)
        ]
        return inner + ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
    return [found for item in node for found in references(item)] if isinstance(node, list) else []


@pytest.mark.parametrize("service", SERVICES)
def test_every_reference_leads_somewhere(service: str) -> None:
    body = of(service)
    for reference in references(body):
        node: Any = body
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


@pytest.mark.parametrize("service", SERVICES)
def test_every_record_that_is_shown_is_valid_against_the_message_it_is_shown_for(service: str) -> None:
    body = of(service)
    for name, message in body["components"]["messages"].items():
        schema = {"$ref": f"#/components/messages/{name}/payload", "components": body["components"]}
        for example in message.get("examples", ()):
            jsonschema_rs.Draft7Validator(schema, validate_formats=True).validate(example["payload"])
            spoilt = example["payload"] | {"data": 7}
            assert not jsonschema_rs.Draft7Validator(schema).is_valid(spoilt), name


def test_every_type_is_published_by_exactly_one_service() -> None:
    said = [kind.type for service in SERVICES for kind in published_by(service)]
    assert sorted(said) == sorted(published())


def test_nobody_may_read_a_restricted_type_that_does_not_name_them() -> None:
    for service in SERVICES:
        restricted = [kind for kind in readable_by(service) if issubclass(kind, Restricted)]
        assert all(service in kind.readers for kind in restricted)
        topics = [TOPICS[topic] for topic in of(service)["channels"] if topic != "ama.feed"]
        assert all(service in (topic.writer, *topic.readers) for topic in topics)


def test_a_restricted_type_shows_a_sealed_payload_and_says_who_can_open_it() -> None:
    message = of("sessions")["components"]["messages"]["it.amalavoro.sessions.survey.scored.v1"]
    said = message["payload"]["allOf"][1]["properties"]
    assert said["data"]["contentMediaType"] == "application/jose"
    assert "sessions, analytics" in said["data"]["description"]
    assert said["datacontenttype"] == {"const": "application/jose"}
    assert message["tags"] == [{"name": "restricted"}]


def test_a_channel_tells_the_partitions_and_that_the_key_is_the_subject() -> None:
    body = of("grouping")
    assert body["channels"]["ama.grouping"]["bindings"]["kafka"]["partitions"] == TOPICS["ama.grouping"].partitions
    key = body["components"]["messages"]["it.amalavoro.grouping.member.joined.v1"]["bindings"]["kafka"]["key"]
    assert key == {"type": "string", "description": "the subject"}


def test_a_partner_sees_its_feed_in_the_document_of_notifications_alone() -> None:
    assert [service for service in SERVICES if "ama.feed" in of(service)["channels"]] == ["notifications"]
    channel = of("notifications")["channels"]["ama.feed"]
    assert channel["address"] == "ama.feed.{partner}"
    assert channel["bindings"]["kafka"]["partitions"] == 1
    for name in channel["messages"]:
        (example,) = of("notifications")["components"]["messages"][name]["examples"]
        assert not example["payload"].keys() & {"traceparent", "correlationid", "causationid"}
        assert example["payload"]["time"].endswith("T00:00:00Z"), "a partner learns days, not instants"


def test_servers_come_from_the_settings_and_want_scram_only_where_they_are_secured() -> None:
    secured = of("enrolment", bootstrap="one.example:9092, two.example:9093")
    assert [server["host"] for server in secured["servers"].values()] == ["one.example:9092", "two.example:9093"]
    assert secured["components"]["securitySchemes"]["scram"]["type"] == "scramSha512"
    plain = of("enrolment", secure=False)
    assert "scram" not in json.dumps(plain)


def test_the_compacted_topics_are_shown_to_who_may_read_them_alone() -> None:
    assert {service for service in SERVICES if "ama.enrolment.contacts" in of(service)["channels"]} == {
        "enrolment",
        "notifications",
    }
    assert "receive.ama.enrolment.keys" in of("analytics")["operations"]
    assert "send.ama.enrolment.keys" in of("enrolment")["operations"]


def test_a_type_on_a_topic_that_does_not_exist_is_refused(declare: Declare) -> None:
    with pytest.raises(ValueError, match=r"ama\.nowhere does not exist"):
        document("grouping", [declare("seats: int", topic="ama.nowhere")], [], bootstrap="kafka.example:9092")


def test_a_plugged_in_type_without_a_frozen_example_gets_one_made(declare: Declare) -> None:
    kind = declare("seats: int")
    body = document("grouping", [kind], [], bootstrap="kafka.example:9092")
    assert body["components"]["messages"][kind.type]["examples"][0]["payload"]["data"] == {"seats": 1}


def test_the_documents_show_the_frozen_examples() -> None:
    for service in SERVICES:
        for kind in published_by(service):
            shown = of(service)["components"]["messages"][kind.type]["examples"][0]["payload"]
            assert shown == Frozen().example(kind.type)
