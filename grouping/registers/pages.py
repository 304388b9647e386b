"""Pages of the registers: lists of places and facilitators, and forms that add or correct one."""

import math
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel
from pydantic import Field as Checked

from grouping.acting import done, version_in
from grouping.refusals import SENTENCES
from grouping.registers import commands as do
from grouping.registers import lists
from grouping.words import slot_in_words
from services.contracts.base import Slug
from services.identity.auth import Role, Who, allowed
from services.programmes import Programme
from services.web import Line
from services.web.frame import Field, Filled, Form, Frame, Kind, page_router
from services.web.frame.texts import N_
from services.web.run import Reader, Run

FRAME = Frame("grouping", "grouping.registers", refusals=SENTENCES)
router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]
SAVED = Annotated[bool, Query(description="whether something was just saved, so that the page says so")]
CODE = N_("Lower case without accents, digits and hyphens, such as casa-del-volontariato.")
AT_FIELD = {
    "id-taken": "id",
    "no-such-municipality": "municipality",
    "municipality-retired": "municipality",
    "no-such-slot": "slots",
    "slot-retired": "slots",
}
STALE = 412  # status of a refusal of what was changed meanwhile
SEEN = Field("seen", N_("Version"), Kind.HIDDEN)
TOWN = Field("municipality", N_("Municipality"), Kind.SELECT)

PLACE = Form(
    SEEN,
    Field("id", N_("Code of the place"), hint=CODE, why=N_("it names the place in the data, and does not change")),
    Field("title", N_("Name"), hint=N_("As people know it.")),
    Field("address", N_("Address"), hint=N_("Street and number. It is in the messages to members.")),
    TOWN,
    Field("rooms", N_("Rooms"), Kind.NUMBER, hint=N_("How many groups can meet there at the same time.")),
    Field("access", N_("Can be reached without steps"), Kind.CHECKBOX, needed=False),
)


class PlaceAnswers(BaseModel):
    """Answers of the form of a place."""

    id: Slug
    title: Line
    address: Line
    municipality: Slug
    rooms: int = Checked(ge=1, le=100)
    access: bool = False


FACILITATOR = Form(
    SEEN,
    Field(
        "id",
        N_("Code of the facilitator"),
        hint=CODE,
        why=N_("no name is kept here; the account of the person has the same code, by which they see their groups"),
    ),
    TOWN,
    Field("travel_km", N_("Travels at most, in kilometres"), Kind.NUMBER),
    Field("slots", N_("Is free"), Kind.CHECKBOXES),
    Field("groups", N_("Groups at the same time"), Kind.NUMBER),
)


class FacilitatorAnswers(BaseModel):
    """Answers of the form of a facilitator."""

    id: Slug
    municipality: Slug
    travel_km: float = Checked(gt=0, le=500, allow_inf_nan=False)
    slots: list[Slug] = Checked(min_length=1, max_length=50)
    groups: int = Checked(ge=1, le=20)


@router.get("/gruppi/luoghi")
async def places(
    request: Request, read: Reader, who: Operator, pagina: PageNumber = 1, salvato: SAVED = False
) -> Response:
    """List the places where groups can meet."""
    rows, total = await lists.places(read, pagina)
    shown: dict[str, Any] = {"rows": rows, **_paged(pagina, total), "saved": salvato}
    return FRAME.page(request, "registers/places.html", who=who, rules=read.rules, **shown)


@router.get("/gruppi/luoghi/nuovo")
async def new_place(request: Request, read: Reader, who: Operator) -> Response:
    """Show the form for a new place."""
    return _place(request, read, who, _offered(request, PLACE.empty(rooms="1"), read.rules), new=True)


@router.post("/gruppi/luoghi/nuovo")
async def add_place(request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Add a place. 409 id-taken, at its field."""
    filled = _offered(request, await PLACE.filled(request), read.rules)
    body = filled.checked(PlaceAnswers)
    if body is None:
        return _place(request, read, who, filled, new=True)
    command = do.RegisterPlace(place=body.id, **body.model_dump(exclude={"id"}), fresh=True)
    status = (await done(run.once(filled.key), do.register_place, command, filled, AT_FIELD)).status
    if status is not None:
        return _place(request, read, who, filled, new=True, status=status)
    return RedirectResponse("/gruppi/luoghi?salvato=true", 303)


@router.get("/gruppi/luoghi/{place}")
async def one_place(place: Slug, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Show the form that corrects a place. 404 no-such-place."""
    found, version = await run.query(lists.one_place, place)
    told = found.model_dump(exclude={"access", "rooms"})
    filled = PLACE.empty(**told, rooms=str(found.rooms), access="yes" if found.access else "", seen=str(version))
    return _place(request, read, who, _offered(request, filled, read.rules, found.municipality), new=False)


@router.post("/gruppi/luoghi/{place}")
async def correct_place(place: Slug, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Correct a place. 404 no-such-place · 412 changed-meanwhile, above the form."""
    found, version = await run.query(lists.one_place, place)
    filled = _offered(request, await PLACE.filled(request), read.rules, found.municipality)
    filled.values["id"] = place
    body = filled.checked(PlaceAnswers)
    if body is None:
        return _place(request, read, who, filled, new=False)
    command = do.RegisterPlace(place=place, **body.model_dump(exclude={"id"}), seen=version_in(filled))
    status = (await done(run.once(filled.key), do.register_place, command, filled, AT_FIELD)).status
    if status is not None:
        filled.values["seen"] = str(version)
        now = found if status == STALE else None
        return _place(request, read, who, filled, new=False, status=status, now=now)
    return RedirectResponse("/gruppi/luoghi?salvato=true", 303)


@router.get("/gruppi/facilitatori")
async def facilitators(
    request: Request, run: Run, read: Reader, who: Operator, pagina: PageNumber = 1, salvato: SAVED = False
) -> Response:
    """List the facilitators with where they live and when they are free."""
    ids, total = await lists.facilitators(read, pagina)
    rows = await run.query(lists.described, ids)
    shown: dict[str, Any] = {"rows": rows, **_paged(pagina, total), "saved": salvato}
    return FRAME.page(request, "registers/facilitators.html", who=who, rules=read.rules, **shown)


@router.get("/gruppi/facilitatori/nuovo")
async def new_facilitator(request: Request, read: Reader, who: Operator) -> Response:
    """Show the form for a new facilitator."""
    filled = _offered(request, FACILITATOR.empty(travel_km="30", groups="1"), read.rules)
    return _facilitator(request, read, who, filled, new=True)


@router.post("/gruppi/facilitatori/nuovo")
async def add_facilitator(request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Add a facilitator. 409 id-taken, at its field."""
    filled = _offered(request, await FACILITATOR.filled(request), read.rules)
    body = filled.checked(FacilitatorAnswers)
    if body is None:
        return _facilitator(request, read, who, filled, new=True)
    command = do.RegisterFacilitator(facilitator=body.id, **body.model_dump(exclude={"id"}), fresh=True)
    status = (await done(run.once(filled.key), do.register_facilitator, command, filled, AT_FIELD)).status
    if status is not None:
        return _facilitator(request, read, who, filled, new=True, status=status)
    return RedirectResponse("/gruppi/facilitatori?salvato=true", 303)


@router.get("/gruppi/facilitatori/{facilitator}")
async def one_facilitator(facilitator: Slug, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Show the form that corrects a facilitator. 404 no-such-facilitator."""
    found, version = await run.query(lists.one_facilitator, facilitator)
    filled = FACILITATOR.empty(
        id=found.id,
        municipality=found.municipality,
        travel_km=f"{found.travel_km:g}".replace(".", ","),
        slots=sorted(found.slots),
        groups=str(found.groups),
        seen=str(version),
    )
    return _facilitator(
        request, read, who, _offered(request, filled, read.rules, found.municipality, found.slots), new=False
    )


@router.post("/gruppi/facilitatori/{facilitator}")
async def correct_facilitator(facilitator: Slug, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Correct a facilitator. 404 no-such-facilitator · 412 changed-meanwhile, above the form."""
    found, version = await run.query(lists.one_facilitator, facilitator)
    filled = _offered(request, await FACILITATOR.filled(request), read.rules, found.municipality, found.slots)
    filled.values["id"] = facilitator
    body = filled.checked(FacilitatorAnswers)
    if body is None:
        return _facilitator(request, read, who, filled, new=False)
    told = body.model_dump(exclude={"id"})
    command = do.RegisterFacilitator(facilitator=facilitator, **told, seen=version_in(filled))
    status = (await done(run.once(filled.key), do.register_facilitator, command, filled, AT_FIELD)).status
    if status is not None:
        filled.values["seen"] = str(version)
        now = found if status == STALE else None
        return _facilitator(request, read, who, filled, new=False, status=status, now=now)
    return RedirectResponse("/gruppi/facilitatori?salvato=true", 303)


def _paged(page: int, total: int) -> dict[str, int]:
    return {"page": page, "pages": max(1, math.ceil(total / lists.PAGE)), "total": total}


def _offered(request: Request, filled: Filled, rules: Programme, town: str | None = None, slots: Any = ()) -> Filled:
    """Offer what takes something new, and what was chosen before, even if it is retired by now."""
    towns = [each for each in rules.municipalities if not each.retired or each.id == town]
    filled.offer("municipality", sorted(((each.id, each.name) for each in towns), key=lambda each: each[1]))
    if "slots" in filled.form.fields:
        known = [each for each in rules.slots if not each.retired or each.id in slots]
        filled.offer("slots", [(each.id, slot_in_words(request, FRAME, each)) for each in known])
    return filled


def _place(
    request: Request, read: Reader, who: Who, filled: Filled, *, new: bool, status: int = 200, now: Any = None
) -> Response:
    shown: dict[str, Any] = {"form": filled, "new": new, "now": now}
    return FRAME.page(request, "registers/place.html", who=who, rules=read.rules, status=status, **shown)


def _facilitator(
    request: Request, read: Reader, who: Who, filled: Filled, *, new: bool, status: int = 200, now: Any = None
) -> Response:
    shown: dict[str, Any] = {"form": filled, "new": new, "now": now}
    return FRAME.page(request, "registers/facilitator.html", who=who, rules=read.rules, status=status, **shown)
