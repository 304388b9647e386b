"""The report of a restore lists what nobody but an operator can do again, and nothing that a service mends when it starts."""

import importlib
import importlib.util
from datetime import UTC, datetime
from typing import Any

import pytest

from services.contracts import EventData
from services.contracts.enrolment import WithdrawalExplained, WorkerCorrected, WorkerErased, WorkerReferred
from services.contracts.grouping import GroupConcluded, MemberLeft
from services.contracts.topics import SERVICES
from services.events.delivery.declare import Reactions
from services.operations.backup.report import lost_of


def recalled(*kinds: type[EventData]) -> dict[str, Any]:
    """A subject whose state lacks an event of each of these types."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    events = [{"id": str(n), "type": each.type, "sequence": n, "at": at} for n, each in enumerate(kinds, 1)]
    return {"programme": "p", "topic": "t", "subject": "s", "lost": events}


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ("enrolment", WithdrawalExplained),
        ("enrolment", WorkerErased),
        ("grouping", MemberLeft),
        ("grouping", GroupConcluded),
    ],
)
def test_what_a_service_applies_again_is_not_lost(service: str, kind: type[EventData]) -> None:
    assert lost_of(service, recalled(kind)).events == []
    assert [each.sequence for each in lost_of("analytics", recalled(MemberLeft)).events] == [1], (
        "it applies nothing again"
    )


@pytest.mark.parametrize(
    ("kind", "words"), [(WorkerReferred, "refer them again"), (WorkerCorrected, "correct it again")]
)
def test_an_event_without_the_name_is_listed_with_advice_although_it_is_applied_again(
    kind: type[EventData], words: str
) -> None:
    (todo,) = lost_of("enrolment", recalled(kind)).todo
    assert words in todo


@pytest.mark.parametrize("service", SERVICES)
def test_the_table_of_a_replay_has_the_name_by_which_the_report_finds_it(service: str) -> None:
    if importlib.util.find_spec(f"{service}.replay") is None:
        return
    module = vars(importlib.import_module(f"{service}.replay"))
    assert {name for name, value in module.items() if isinstance(value, Reactions)} <= {"replays"}
