"""The page on which an operator confirms one group of a proposal, after a look at it. Every rule is checked again by the command."""

from typing import Annotated, Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError
from pydantic import Field as Checked

from grouping.acting import done
from grouping.membership import commands as do
from grouping.membership.pages import FRAME, Operator
from grouping.reading import named
from services.contracts.base import Id, Slug
from services.contracts.grouping import Kind as GroupKind
from services.identity.auth import Who
from services.web import Day
from services.web.frame import Field, Filled, Form, Kind, page_router
from services.web.frame.texts import N_
from services.web.run import Reader, Run

router = page_router(FRAME)
# As the proposal made them; nobody types them.
FORMING = Form(
    Field("members", N_("Members"), Kind.HIDDEN),
    Field("slot", N_("When"), Kind.HIDDEN),
    Field("place", N_("Place"), Kind.HIDDEN),
    Field("facilitator", N_("Facilitator"), Kind.HIDDEN),
    Field("first", N_("First meeting"), Kind.HIDDEN),
    Field("kind", N_("Kind"), Kind.HIDDEN),
    Field("back", N_("Day of the proposal"), Kind.HIDDEN),
)


class Proposed(BaseModel):
    """A group of a proposal, as its form holds it: the members' ids with blanks between them."""

    members: Annotated[list[Id], BeforeValidator(str.split), Checked(min_length=1, max_length=100)]
    slot: Slug
    place: Slug
    facilitator: Slug
    first: Day
    kind: GroupKind


@router.post("/gruppi/nuovo")
async def form_a_group(request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Show the group of a proposal, then form it. Refusals of the command are above the form: the pool may have changed."""
    filled = await FORMING.filled(request)
    body = filled.checked(Proposed)
    if body is None or filled.step != "done":
        return await _checked(request, read, who, filled, body)
    outcome = await done(run.once(filled.key), do.form, do.Form(**body.model_dump()), filled)
    if outcome.status is not None:
        return await _checked(request, read, who, filled, body, outcome.status)
    return RedirectResponse(f"/gruppi/{outcome.answer['group']}?fatto=formato", 303)


async def _checked(
    request: Request, read: Reader, who: Who, filled: Filled, body: Proposed | None, status: int = 200
) -> Response:
    if body is not None:
        await read.note_accesses(body.members, "new group")
    places = await named(read, "places", [body.place] if body is not None else [])
    shown: dict[str, Any] = {"form": filled, "proposed": body, "places": places, "back": _day(filled.values["back"])}
    return FRAME.page(request, "membership/forming.html", who=who, rules=read.rules, status=status, **shown)


def _day(text: str) -> str | None:
    """The day of the proposal, for the way back; None when it is none."""
    try:
        return TypeAdapter(Day).validate_python(text).isoformat()
    except ValidationError:
        return None
