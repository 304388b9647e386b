"""The page of proposals: choose a day, see the groups that could be formed, what they are worth and who would have to wait.

Invariant: nothing is stored. A group is formed by the form that stands below it, which is checked again.
"""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator
from pydantic import Field as Checked

from grouping.proposals.queries import SECONDS, proposed_by_search, survey, without_profile
from grouping.reading import named
from grouping.refusals import SENTENCES
from grouping.search_process import Searching
from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.web import Day
from services.web.frame import Field, Form, Frame, Kind, page_router
from services.web.frame.texts import N_
from services.web.run import Reader, Run

FRAME = Frame("grouping", "grouping.proposals", refusals=SENTENCES)
router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
SHOWN = 50  # people who would have to wait, and people without a profile, that the page names
QUESTION = Form(
    Field(
        "on",
        N_("Groups begin after this day"),
        Kind.DAY,
        hint=N_("For example 27/3/2026. The first meeting is on the next day of each group's weekday."),
    ),
    Field(
        "companies",
        N_("Companies whose people sit among colleagues alone"),
        hint=N_("Codes of the companies with blanks between them, as they stand in the profiles."),
        needed=False,
    ),
    Field("seed", N_("Start of the search"), Kind.HIDDEN),
)


def _ids(text: Any) -> Any:
    return list(dict.fromkeys(text.replace(",", " ").split())) if isinstance(text, str) else text


class Asked(BaseModel):
    """Answers to the form: the day from which groups begin, and the companies whose people sit among colleagues alone."""

    on: Day
    companies: Annotated[list[Id], BeforeValidator(_ids), Checked(max_length=100)] = []
    seed: int = Checked(default=0, ge=0, le=2**31)


@router.get("/proposte")
async def question(
    request: Request,
    read: Reader,
    who: Operator,
    giorno: Annotated[Day | None, Query(description="the day that is in the form: today when absent")] = None,
) -> Response:
    """Show the form that asks for a proposal."""
    day = giorno or read.rules.day_of(datetime.now(UTC))
    filled = QUESTION.empty(on=f"{day.day}/{day.month}/{day.year}", seed="0")
    return FRAME.page(request, "proposals/question.html", who=who, rules=read.rules, form=filled, seconds=SECONDS)


@router.post("/proposte")
async def propose(request: Request, run: Run, read: Reader, who: Operator, searching: Searching) -> Response:
    """Propose groups of the people who wait, whose access logs say so."""
    filled = await QUESTION.filled(request)
    asked = filled.checked(Asked)
    if asked is None:
        return FRAME.page(request, "proposals/question.html", who=who, rules=read.rules, form=filled, seconds=SECONDS)
    problem = await run.query(survey, asked.on, frozenset(asked.companies))
    # Before the search: what a request asks of the database is limited in time, from its beginning on.
    undescribed = await run.query(without_profile)
    await read.note_accesses(undescribed, "proposal")
    places = await named(read, "places", [each.id for each in problem.places])
    began = time.monotonic()
    answer, found = await searching.run(proposed_by_search, problem, asked.seed, read.rules, asked.on)
    shown: dict[str, Any] = {
        **found,
        "form": filled,
        "asked": asked,
        "people": len(problem.people),
        "seated": sum(len(each["members"]) for each in found["groups"]),
        "reasons": Counter(each for one in answer.unplaced for each in one.reasons).most_common(),
        "unplaced": found["unplaced"][:SHOWN],
        "waiting": len(answer.unplaced),
        "without_profile": undescribed,
        "most": SHOWN,
        "stopped": time.monotonic() - began >= SECONDS,
        "places": places,
        "defects": answer.defects or (),
    }
    return FRAME.page(request, "proposals/proposal.html", who=who, rules=read.rules, **shown)
