"""The console's parts: in both languages, that no shown value is markup, and what needs attention."""

from pathlib import Path
from typing import Any

import pytest

from services.events.inbox.documents import DeadStatus
from services.operations import console
from services.operations.console import wording
from services.operations.console.live import event, funnel, problems_of
from services.operations.console.screen import FRAME

RUNBOOK = (Path(console.__file__).parents[3] / "docs" / "operations.md").read_text()
PARTS = {
    "dead": {"dead_letters": []},
    "engines": {"engines": {"Kafka": ["grouping"], "MongoDB": []}},
    "funnel": {"indicators": None, "steps": []},
    "services": {"states": {"grouping": None}},
    "summary": {"problems": []},
    "ended": {},
}


@pytest.mark.parametrize(("name", "shown"), PARTS.items())
def test_every_part_is_there_in_both_languages(name: str, shown: dict[str, Any]) -> None:
    italian, english = (FRAME.html(language, f"parts/{name}.html", **shown) for language in ("it", "en"))
    assert italian != english


def test_nothing_that_a_service_tells_is_markup() -> None:
    dead_letter = dict.fromkeys(("consumer", "why", "type", "subject", "origin"), "<b>x</b>")
    html = FRAME.html(
        "it", "parts/dead.html", dead_letters=[{**dead_letter, "service": "grouping", "id": 'a"/<b>', "at": None}]
    )
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_what_needs_attention_is_said_and_nothing_when_all_is_well() -> None:
    consumer = {"name": "reactions", "lag": 0, "parked": 0, "holes": 0, "dead": 0, "stopped": 0}  # language: kept
    well = {"missing": {}, "relay": {"leads": True}, "outbox_age": 1.0, "consumers": [consumer]}
    assert problems_of({"grouping": well}) == []
    ill: list[Any] = [
        None,
        {"missing": {"MongoDB": "does not answer"}, "relay": None, "outbox_age": None, "consumers": []},
        {**well, "relay": {"leads": False}},
        {**well, "outbox_age": 90.0},
        {**well, "consumers": [{**consumer, "holes": 2, "parked": 2}]},  # language: kept
        {**well, "consumers": [{**consumer, "dead": 3}]},
    ]
    for each in ill:
        [problem] = problems_of({"grouping": each})
        assert f"\n### {problem.runbook}\n" in RUNBOOK
        html = FRAME.html("en", "parts/summary.html", problems=[problem])
        assert f"(what to do: {problem.runbook} in " in html
        assert "%(" not in html
        assert FRAME.said("it", problem.text) != FRAME.said("en", problem.text)


def test_every_state_of_a_dead_letter_has_a_text() -> None:
    assert {str(each) for each in DeadStatus} <= wording.STATES.keys()


def test_the_path_through_the_programme_has_its_steps_in_order() -> None:
    counted = {name: n for n, name in enumerate(wording.STEPS)}
    indicators = {
        **counted,
        "referred": 9,
        "meetings_held": 2,
        "meetings_scheduled": 3,
        "surveys": [{"invited": 4, "submitted": 1}],
    }
    steps = funnel(indicators)
    assert steps[0] == ("Referred", 9, 9)
    assert steps[-2:] == [("Meetings held", 2, 3), ("Questionnaires answered", 1, 4)]
    html = FRAME.html("it", "parts/funnel.html", steps=steps, indicators={"programme": "jobs2"})
    assert "Il percorso nel programma jobs2" in html
    assert "Questionari compilati" in html


def test_an_event_keeps_its_lines_and_a_funnel_without_indicators_is_empty() -> None:
    assert event("dead", "<ul>\n</ul>") == "event: dead\ndata: <ul>\ndata: </ul>\n\n"
    assert funnel(None) == []
