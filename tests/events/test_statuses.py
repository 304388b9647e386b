"""Statuses are enums: no code reads a state from a part of a sentence, by prefix, by word or by regular expression."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SENTENCES = {"status", "reason", "why", "stopped"}  # fields that say why something waits, died or stopped
READING = {"startswith", "endswith", "removeprefix", "removesuffix", "find", "index", "partition", "split"}
MATCHING = {"match", "search", "fullmatch"}
ALLOWED = {"tests"}  # a test may look at the text that a person reads, but not at a status, and not in a query


def name_of(node: ast.expr) -> str | None:
    """The field that an expression reads: `x.why`, `x["why"]` or `x.get("why")`."""
    match node:
        case (
            ast.Attribute(attr=name) | ast.Name(id="why" | "stopped" as name)
        ):  # other bare names also mean other things
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name
    return None


def readings(source: str, sentences: set[str]) -> Iterator[int]:
    """The lines that read one of these fields by a part of its text."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=read, attr=method)) if method in READING:
                if name_of(read) in sentences:
                    yield node.lineno
            case ast.Call(func=ast.Attribute(attr=method), args=arguments) if method in MATCHING:
                if any(name_of(each) in sentences for each in arguments):
                    yield node.lineno
            case ast.Dict() if any(is_matched(*each) for each in zip(node.keys, node.values, strict=True)):
                yield node.lineno
            case ast.Compare(left=ast.Constant(value=str()), ops=[ast.In() | ast.NotIn()], comparators=[read]):
                if name_of(read) in sentences:
                    yield node.lineno


def is_matched(key: ast.expr | None, value: ast.expr) -> bool:
    """True for an item of a query that compares one of these fields with a regular expression."""
    field = key.value if isinstance(key, ast.Constant) else None
    if not isinstance(field, str) or field.rpartition(".")[2] not in SENTENCES:
        return False
    called = isinstance(value, ast.Call) and name_of(value.func) == "compile"
    keys = value.keys if isinstance(value, ast.Dict) else []
    return called or any(isinstance(each, ast.Constant) and each.value == "$regex" for each in keys)


def test_nothing_in_the_tree_reads_a_status_by_prefix_or_regex() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [name for name in listed.stdout.split() if (ROOT / name).exists()]
    assert "services/events/delivery/state.py" in files
    found = [
        f"{name}:{line}"
        for name in files
        for line in readings((ROOT / name).read_text(), {"status"} if name.partition("/")[0] in ALLOWED else SENTENCES)
    ]
    assert found == []


@pytest.mark.parametrize(
    "breach",
    [
        'parked.why.startswith("not yet")',
        'each["status"].startswith(NOT_YET)',
        "why.startswith(NOT_YET)",
        'each.get("reason").removeprefix("dead: ")',
        're.match("^not yet", parked.reason)',
        'store["parked"].find({"consumer": "c", "why": {"$regex": "^not yet"}})',
        'store["parked"].find({"parked.status": re.compile("^dead")})',
        '"gap" in mark.stopped',
    ],
)
def test_a_status_that_is_read_by_a_part_of_its_text_is_found(breach: str) -> None:
    assert list(readings(breach, SENTENCES)) == [1]
