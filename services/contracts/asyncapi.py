"""The AsyncAPI 3.0 document of one service: the events that it publishes and consumes, their topics and their records.

Invariant: everything is taken from the event classes and the topics, so the document cannot contradict the code.
The payload of a message is the whole structured CloudEvent, since that is what a client finds in the record.
"""

from collections.abc import Iterable, Sequence
from inspect import cleandoc

from services.contracts.base import EventData, Restricted
from services.contracts.envelope import CONTENT_TYPE, JOSE, schema_uri
from services.contracts.frozen import Frozen, published
from services.contracts.sampling import record, sealed
from services.contracts.schema import ENVELOPE, Schema, payload_only, schema_of, summary_of
from services.contracts.topics import CONTACTS, FEED, KEYS, TOPICS, Topic, source_of, topic_of

Kinds = Iterable[type[EventData]]
_BINDING = "0.5.0"
_COMPACT_JWE = r"^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]*\.[\w-]+$"


def published_by(service: str) -> list[type[EventData]]:
    """Return the event types on the topics that this service writes."""
    return [kind for kind in published().values() if _on(kind).writer == service]


def readable_by(service: str) -> list[type[EventData]]:
    """Return the event types of other services that this service may read: the open ones, and the restricted ones that name it."""
    others = (kind for kind in published().values() if _on(kind).writer != service)
    return [kind for kind in others if service in kind.readers or kind.readers == ("any",)]


def _on(kind: type[EventData]) -> Topic:
    topic = topic_of(kind.topic)
    if topic is None:
        raise ValueError(f"{kind.type}: topic {kind.topic} does not exist")
    return topic


def document(service: str, publishes: Kinds, consumes: Kinds, *, bootstrap: str | None, secure: bool = True) -> Schema:
    """Build the AsyncAPI document of a service. `bootstrap`: Kafka's host:port list for readers of the document, None to name no
    server; `secure`: it asks for SASL/SCRAM."""
    sends, receives = _by_topic(publishes), _by_topic(consumes)
    tables = [topic for topic in TOPICS.values() if topic.compacted and service in (topic.writer, *topic.readers)]
    kinds = {kind.type: kind for of_topic in (*sends.values(), *receives.values()) for kind in of_topic}
    servers = _servers(bootstrap, secure)
    messages = {name: _message(kind) for name, kind in sorted(kinds.items())} | {
        table.name: _table(table) for table in tables
    }
    channels: dict[str, list[str]] = {table.name: [table.name] for table in tables}
    operations: Schema = {}
    for action, by_topic in (("send", sends), ("receive", receives)):
        for topic, of_topic in by_topic.items():
            names = [kind.type for kind in of_topic]
            # A service may publish and consume on one topic.
            channels[topic] = sorted({*channels.get(topic, ()), *names})
            operations[f"{action}.{topic}"] = _operation(action, topic, names)
    for table in tables:
        action = "send" if table.writer == service else "receive"
        operations[f"{action}.{table.name}"] = _operation(action, table.name, [table.name])
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:amalavoro:{service}",
        "info": _info(service),
        "defaultContentType": CONTENT_TYPE.decode(),
        **({"servers": servers} if servers else {}),
        "channels": {name: _channel(name, channels[name], [*servers]) for name in sorted(channels)},
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": {"cloudevent": ENVELOPE} | {name: _data(kind) for name, kind in sorted(kinds.items())},
            **({"securitySchemes": {"scram": _SCRAM}} if secure and servers else {}),
        },
    }


def _by_topic(kinds: Kinds) -> dict[str, list[type[EventData]]]:
    by_topic: dict[str, list[type[EventData]]] = {}
    for kind in sorted(set(kinds), key=lambda kind: kind.type):
        by_topic.setdefault(_on(kind).name, []).append(kind)
    return by_topic


def _info(service: str) -> Schema:
    return {
        "title": f"AMA Lavoro: {service}",
        "version": "1.0.0",
        "description": (
            f"The events that the service {service} publishes and consumes. Every record is one CloudEvent 1.0 in structured JSON. "
            "Order is promised within a topic and subject; a record may come again with the same id and sequence. "
            "Unknown types, attributes and fields are to be ignored: a version gains optional fields and changes in no "
            "other way."
        ),
        "license": {"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/en/"},
        "tags": [{"name": "open"}, {"name": "restricted"}, {"name": "feed"}, {"name": "table"}],
    }


_SCRAM: Schema = {
    "type": "scramSha512",
    "description": "SASL/SCRAM-SHA-512; each service and each partner has an own user.",
}


def _servers(bootstrap: str | None, secure: bool) -> Schema:
    hosts = [host.strip() for host in (bootstrap or "").split(",") if host.strip()]
    server: Schema = {
        "protocol": "kafka-secure" if secure else "kafka",
        "description": "Apache Kafka, a bootstrap address",
    }
    if secure:
        server |= {"security": [{"$ref": "#/components/securitySchemes/scram"}]}
    return {f"kafka-{number}": {"host": host, **server} for number, host in enumerate(hosts, start=1)}


def _channel(name: str, messages: Sequence[str], servers: Sequence[str]) -> Schema:
    topic = FEED if name == FEED.name else TOPICS[name]
    # AsyncAPI's binding for Kafka names no other setting that a topic of ours has.
    settings: Schema = {
        key: value.split(",") if key == "cleanup.policy" else int(value)
        for key, value in topic.config.items()
        if key in ("cleanup.policy", "retention.ms", "retention.bytes")
    }
    kept = "the newest record of each key is kept" if topic.compacted else "every record is kept"
    kafka = {"partitions": topic.partitions, "topicConfiguration": settings, "bindingVersion": _BINDING}
    return {
        **(_OF_A_PARTNER if topic is FEED else {"address": topic.name}),
        "title": topic.name,
        "description": f"Written by {topic.writer}; {kept}. The key, and with it the partition, is the subject.",
        # AsyncAPI forbids an empty list; without one, a channel is on every server.
        **({"servers": [{"$ref": f"#/servers/{server}"} for server in servers]} if servers else {}),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": kafka},
    }


def _operation(action: str, topic: str, messages: Sequence[str]) -> Schema:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "summary": f"{'Publishes to' if action == 'send' else 'Consumes from'} {topic}",
        "messages": [{"$ref": f"#/channels/{topic}/messages/{name}"} for name in messages],
    }


def _message(kind: type[EventData]) -> Schema:
    restricted = issubclass(kind, Restricted)
    constraints: Schema = {
        "type": {"const": kind.type},
        "source": {"pattern": f"^{source_of('[^/]+', kind.topic)}" + ("/[^/]+$" if kind.topic == FEED.name else "$")},
        "datacontenttype": {"const": JOSE if restricted else "application/json"},
        "dataschema": {"const": schema_uri(kind)},
        "data": _sealed(kind) if restricted else {"$ref": f"#/components/schemas/{kind.type}"},
    }
    # A type that a plug-in declares has no frozen example.
    example = Frozen().example(kind.type) or sealed(kind, record(kind))
    return {
        "name": kind.type,
        "title": " ".join(kind.type.split(".")[3:5]),
        "summary": summary_of(kind),
        "description": cleandoc(kind.__doc__ or ""),
        "contentType": CONTENT_TYPE.decode(),
        "headers": {
            "type": "object",
            "properties": {"content-type": {"type": "string", "const": CONTENT_TYPE.decode()}},
            "required": ["content-type"],
        },
        "payload": {
            "allOf": [{"$ref": "#/components/schemas/cloudevent"}, {"type": "object", "properties": constraints}]
        },
        "correlationId": {"description": "The request it began with.", "location": "$message.payload#/correlationid"},
        "tags": [{"name": "restricted" if restricted else "feed" if kind.topic == FEED.name else "open"}],
        "externalDocs": {"description": "Frozen JSON Schema of the payload", "url": schema_uri(kind)},
        "bindings": {"kafka": {"key": {"type": "string", "description": "the subject"}, "bindingVersion": _BINDING}},
        "examples": [{"name": "record", "summary": "As it is on the topic", "payload": example}],
        "x-readers": list(kind.readers),
    }


def _data(kind: type[EventData]) -> Schema:
    return {**payload_only(schema_of(kind)), "x-dataschema": schema_uri(kind)}


def _sealed(kind: type[EventData]) -> Schema:
    return {
        "type": "string",
        "contentMediaType": JOSE,
        "pattern": _COMPACT_JWE,
        "description": (
            f"Compact JWE (alg dir, enc A256GCM) under the key of the person, whose id is the header's kid. Only "
            f"{', '.join(kind.readers)} can open it; it opens to the schema {kind.type}. After erasure nobody can."
        ),
        "x-opens-to": f"#/components/schemas/{kind.type}",
    }


def _table(topic: Topic) -> Schema:
    return {
        "name": topic.name,
        "title": topic.name,
        "summary": _TABLES.get(topic.name, "The newest record of each key counts; an empty one is a tombstone."),
        "contentType": JOSE,
        "headers": {
            "type": "object",
            "properties": {
                "content-type": {"type": "string", "const": JOSE},
                "sequence": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "the highest wins"},
                "programme": {"type": "string"},
            },
            "required": ["sequence", "programme"],
        },
        "payload": {"description": "A JWE; none after erasure."},
        "tags": [{"name": "table"}],
        "bindings": {"kafka": {"key": {"type": "string", "description": "the person"}, "bindingVersion": _BINDING}},
        "x-readers": list(topic.readers),
    }


_OF_A_PARTNER: Schema = {
    "address": FEED.name + ".{partner}",
    "parameters": {
        "partner": {"description": "The partner, as the programme names it; only this partner may read its feed."}
    },
}
_TABLES = {
    KEYS.name: "The key of a person, wrapped for each service that may read; empty after erasure.",
    CONTACTS.name: "The contact card of a person, encrypted under the person's key; empty after erasure.",
}
