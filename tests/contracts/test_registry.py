"""One registry of services and topics: every list of services in the program is derived from it."""

import ast
import subprocess
from pathlib import Path

from services.contracts import catalogue
from services.contracts.base import Restricted
from services.contracts.topics import CONTACTS, KEYS, SERVICES, TOPICS
from services.vault.keyring import READERS

ROOT = Path(__file__).parents[2]
REGISTRY = "services/contracts/topics.py"


def test_those_who_read_an_encrypted_topic_are_given_the_keys() -> None:
    assert set(READERS) == {"grouping", "sessions", "notifications", "analytics"}
    assert KEYS.writer not in READERS
    assert set(READERS) <= set(KEYS.readers)


def test_a_topic_is_encrypted_if_and_only_if_restricted_events_or_contact_cards_are_on_it() -> None:
    restricted = {kind.topic for kind in catalogue().values() if issubclass(kind, Restricted)}
    assert {topic.name for topic in TOPICS.values() if topic.encrypted} == restricted | {CONTACTS.name}


def test_only_services_write_and_read_topics() -> None:
    for topic in TOPICS.values():
        assert {topic.writer} <= {*SERVICES, "any"}
        assert set(topic.readers) <= set(SERVICES)


def test_no_list_of_three_services_or_more_stands_in_another_module_of_the_chassis() -> None:
    command = ["git", "ls-files", "services/*.py", "bench/*.py", "ops/*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    found = {
        f"{name}:{node.lineno}"
        for name in listed
        if name != REGISTRY and (ROOT / name).exists()
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.Tuple | ast.List | ast.Set) and len(_texts(node) & set(SERVICES)) > 2
    }
    allowed = {each for each in found if each.startswith("services/contracts/")}  # the readers of one event type
    assert found == allowed


def _texts(node: ast.Tuple | ast.List | ast.Set) -> set[str]:
    return {each.value for each in node.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)}
