"""Rooms open what is sealed through `Work.unseal`, which notes the access. Where they have the key itself, they answer nobody."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("enrolment", "grouping", "sessions", "notifications", "analytics")
OPENING = {"open_sealed", "decrypt_payload", "key"}
# Each with the reason why no caller is told anything.
ALLOWED = {
    ("enrolment/commands.py", "key"): "encrypts the contact card",
    ("enrolment/intake/commands.py", "key"): "encrypts the address of somebody who asks to take part",
    ("enrolment/replay.py", "key"): "a replay after a restore",
    ("enrolment/replay.py", "decrypt_payload"): "a replay after a restore",
    ("grouping/wishes.py", "key"): "asks if the person is erased, in a consumer",
    (
        "enrolment/people/index.py",
        "open_sealed",
    ): "fills the index of names; whoever is shown by a search is noted there",
    ("notifications/contents.py", "key"): "composes a message to the person",
    ("notifications/contents.py", "decrypt_payload"): "composes a message to the person",
    ("sessions/commands.py", "key"): "asks if the key has arrived, in a background task",
}


def opened(source: str) -> set[str]:
    """Names of the ways to open what is sealed that a module uses: functions of the vault, and `work.key`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in OPENING:
            found |= {node.attr} if node.attr != "key" or ast.unparse(node.value).endswith("work") else set()
        elif isinstance(node, ast.ImportFrom):
            found |= OPENING & {each.name for each in node.names} - {"key"}
    return found


def test_what_is_sealed_is_opened_where_it_is_noted() -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for name in opened(path.read_text())
    }
    assert found == ALLOWED.keys()


def test_the_search_finds_each_way() -> None:
    planted = (
        "from services.vault import open_sealed\nasync def f(work): vault.decrypt_payload(await work.key('ada'), '')"
    )
    assert opened(planted) == OPENING
