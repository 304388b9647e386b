"""The words of the pages of workers and referrers: every refusal that their commands can give has a sentence, every log purpose is told."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import enrolment
from enrolment import commands
from enrolment.domain import Status, Worker
from enrolment.personal import commands as personal
from enrolment.personal.wording import CONSENTS, HISTORY, LOOKED_AT, REASONS, STATUS, looked_at
from enrolment.personal.wording import FRAME as PERSONAL
from enrolment.projections import History
from enrolment.referral import commands as referral
from enrolment.referral import pages
from enrolment.referral.pages import FRAME as REFERRAL
from services import kernel
from services.contracts.enrolment import Leaving, Purpose
from services.programmes import days, naming
from services.web.frame import Frame

ROOT = Path(enrolment.__file__).parents[1]
# What each page runs, and the rules behind it.
REFERS = (
    referral.refer_together, commands.refer, commands._describe, commands.decide_consent, commands._language_read, Worker.consent,
    Worker.describe, Worker.outline, naming.refuse_unless_active, days.in_intake, days.since_start, pages._may_refer,
    pages._partner, kernel.in_order,
)  # fmt: skip
DECIDES = (
    personal.issue_link, personal.confirm_leaving, personal.confirm_erasure, personal._opened, commands.decide_consent,
    commands._language_read, commands.erase, Worker.link, Worker.withdraw, Worker._refuse_unless_enrolled, Worker.refuse_if_final,
    Worker.consent, days.since_start, kernel.in_order,
)  # fmt: skip
NOUNS = ("slot", "municipality", "partner")  # of `refuse_unless_active`
# The form offers no colleagues and asks for no partner; who was just referred is not erased; a message that was sent a moment ago is shown
# as sent.
NEVER = {"no-employer", "no-such-partner", "erased", "link-sent"}


def codes(of: Callable[..., Any]) -> Iterator[str]:
    """The codes of the refusals in the source of a function."""
    for call in ast.walk(ast.parse(inspect.cleandoc("\n" + inspect.getsource(of)))):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Refused":
            code = call.args[0]
            if isinstance(code, ast.Constant):
                yield str(code.value)
            elif isinstance(code, ast.JoinedStr):
                text = "".join(str(each.value) if isinstance(each, ast.Constant) else "*" for each in code.values)
                yield from (text.replace("*", noun) for noun in NOUNS)
            else:
                yield from ("no-address", "no-contact")  # of `unreachable`


@pytest.mark.parametrize(("frame", "run"), [(REFERRAL, REFERS), (PERSONAL, DECIDES)], ids=["referral", "personal"])
def test_every_refusal_that_a_page_can_meet_has_a_sentence(frame: Frame, run: tuple[Callable[..., Any], ...]) -> None:
    given = {code for each in run for code in codes(each)}
    assert len(given) >= 6
    assert given - frame.refusals.keys() - NEVER == set()


def test_the_reasons_why_no_message_can_be_sent_have_sentences() -> None:
    found = set(re.findall(r'return "(no-[a-z]+)"', inspect.getsource(Worker.unreachable.fget)))  # type: ignore[attr-defined]  # a property
    assert found == {"no-address", "no-contact"}
    assert found <= PERSONAL.refusals.keys()


def test_every_status_purpose_reason_and_step_is_told() -> None:
    assert STATUS.keys() == set(Status)
    assert CONSENTS.keys() == set(Purpose)
    assert REASONS.keys() == {each.value for each in Leaving}
    told = set(re.findall(r'rows, "([a-z]+)"', inspect.getsource(History)))
    assert told == HISTORY.keys()


def purposes() -> set[str]:
    """Every purpose that a room names for the log of accesses, without what a purpose names in particular."""
    rooms = ("enrolment", "grouping", "sessions", "notifications")
    text = "\n".join(path.read_text() for room in rooms for path in sorted((ROOT / room).rglob("*.py")))
    named = re.findall(r'reads_for\(f?"([^"{]+)', text) + re.findall(r'note_accesses\(.*"([^"]+)"\)', text)
    return {each.strip() for each in named}


def test_every_purpose_of_the_log_is_told_in_words() -> None:
    found = purposes()
    assert {"person", "own referrals", "messages", "names of group"} <= found
    assert found - LOOKED_AT.keys() == set()


def test_a_purpose_that_names_a_group_or_meeting_is_told_by_its_kind() -> None:
    assert looked_at("group 019a") == LOOKED_AT["group"]
    assert looked_at("session 019a") == LOOKED_AT["session"]
    assert looked_at("new group") == LOOKED_AT["new group"]
    assert looked_at("names of group 019a") == LOOKED_AT["names of group"]
    assert looked_at("never heard of") not in LOOKED_AT.values()
