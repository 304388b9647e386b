"""Routes of the registers of places and facilitators."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from grouping.domain import Facilitator, Place
from grouping.registers import commands as do
from services.contracts.base import Slug
from services.identity.auth import Role, Who, allowed
from services.web import Body, Line, Once
from services.web.run import Run

router = APIRouter()
Operator = Annotated[Who, allowed(Role.OPERATOR)]


class PlaceBody(Body):
    """A place where groups can meet."""

    title: Line
    address: Line
    municipality: Slug
    rooms: int = Field(default=1, ge=1, le=100, description="groups that can meet there at the same time")
    access: bool = Field(default=False, description="step-free")


@router.put("/places/{place}", status_code=204)
async def register_place(place: Slug, body: PlaceBody, run: Run, who: Operator) -> None:
    """Register or correct a place. 409 id-taken, municipality-retired · 412 changed meanwhile (If-Match) · 422 no-such-municipality."""
    await run(do.register_place, do.RegisterPlace(place=place, **body.model_dump()), edits=(Place, place))


class FacilitatorBody(Body):
    """A leader of groups: when they are free, and how many groups they lead. The id is a pseudonym; no name is kept here."""

    municipality: Slug
    travel_km: float = Field(default=60, gt=0, le=500, allow_inf_nan=False)
    slots: Annotated[list[Slug], Once] = Field(min_length=1, max_length=50)
    groups: int = Field(default=1, ge=1, le=20, description="how many groups at a time")


@router.put("/facilitators/{facilitator}", status_code=204)
async def register_facilitator(facilitator: Slug, body: FacilitatorBody, run: Run, who: Operator) -> None:
    """Register or correct a facilitator. 409 id-taken, municipality-retired, slot-retired · 412 changed meanwhile (If-Match) ·
    422 no-such-municipality, no-such-slot."""
    command = do.RegisterFacilitator(facilitator=facilitator, **body.model_dump())
    await run(do.register_facilitator, command, edits=(Facilitator, facilitator))
