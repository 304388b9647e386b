"""Texts of the console's pages: their language, their completeness, and that no shown value is markup."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from services.operations.console import screen
from services.operations.console.live import event, funnel, problems_of
from services.operations.console.wording import LANGUAGES, WORDS

CONSOLE = Path(screen.__file__).parent
RUNBOOK = (CONSOLE.parents[2] / "docs" / "operations.md").read_text()


def asked(accepts: str = "", query: str = "", cookie: str = "") -> Request:
    """A request of a browser with these settings."""
    headers = [(b"accept-language", accepts.encode()), (b"cookie", f"ama-language={cookie}".encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": headers})


@pytest.mark.parametrize(
    ("accepts", "query", "cookie", "language"),
    [
        ("", "", "", "it"),
        ("en-GB,en;q=0.9,it;q=0.8", "", "", "en"),
        ("de,fr;q=0.9", "", "", "it"),
        ("en;q=0.1,it-CH;q=0.2", "", "", "it"),
        ("en;q=0, *;q=x", "", "", "it"),
        ("it", "", "en", "en"),
        ("it", "lang=en", "it", "en"),
        ("it", "lang=xx", "", "it"),
    ],
)
def test_the_language_is_the_one_chosen_else_the_browsers(accepts: str, query: str, cookie: str, language: str) -> None:
    assert screen.site().language(asked(accepts, query, cookie)) == language


def test_every_word_is_there_in_each_language_with_the_same_gaps_and_is_used() -> None:
    shown = "".join(
        path.read_text() for path in [*CONSOLE.rglob("*.html"), *CONSOLE.glob("*.py")] if path.name != "wording.py"
    )
    first, *others = (WORDS[language] for language in LANGUAGES)
    for other in others:
        assert {name: text.count("{}") for name, text in other.items()} == {n: t.count("{}") for n, t in first.items()}
    composed = {name for name in first if name.startswith(("was-", "role-"))}
    assert [name for name in first.keys() - composed if not re.search(rf"""["'.]{re.escape(name)}\b""", shown)] == []


def test_nothing_that_a_service_tells_is_markup() -> None:
    dead_letter = dict.fromkeys(("consumer", "why", "type", "subject", "origin"), "<b>x</b>")
    html = screen.site().part(
        "parts/dead.html", "it", dead_letters=[{**dead_letter, "service": "grouping", "id": 'a"/<b>', "at": None}]
    )
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_what_needs_attention_is_said_and_nothing_when_all_is_well() -> None:
    consumer = {"name": "reactions", "lag": 0, "parked": 0, "holes": 0, "dead": 0, "stopped": 0}  # language: kept
    well = {"missing": {}, "relay": {"leads": True}, "outbox_age": 1.0, "consumers": [consumer]}
    assert problems_of({"grouping": well}, WORDS["en"]) == []
    ill: list[Any] = [
        None,
        {"missing": {"MongoDB": "does not answer"}, "relay": None, "outbox_age": None, "consumers": []},
        {**well, "relay": {"leads": False}},
        {**well, "outbox_age": 90.0},
        {**well, "consumers": [{**consumer, "holes": 2, "parked": 2}]},  # language: kept
        {**well, "consumers": [{**consumer, "dead": 3}]},
    ]
    for each in ill:
        [problem] = problems_of({"grouping": each}, WORDS["en"])
        assert f"\n### {problem.runbook}\n" in RUNBOOK
        assert f"(what to do: {problem.runbook} in " in screen.site().part(
            "parts/summary.html", "en", problems=[problem]
        )


def test_an_event_keeps_its_lines_and_a_funnel_without_indicators_is_empty() -> None:
    assert event("dead", "<ul>\n</ul>") == "event: dead\ndata: <ul>\ndata: </ul>\n\n"
    assert funnel(None) == []
