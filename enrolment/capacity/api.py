"""The route of the room that the programme has."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request

from enrolment.capacity.bands import Capacity
from enrolment.capacity.judging import capacity
from services.identity.auth import Role, Who, allowed

router = APIRouter()
Reader = Annotated[Who, allowed(Role.REFERRER, Role.OPERATOR, own={Role.REFERRER: "the same for every partner"})]


@router.get("/capacity")
async def room(request: Request, who: Reader) -> Capacity:
    """Places now, and the usual wait, in bands that are judged once a day: exact numbers would show who left."""
    return await capacity(request.app.state.service, who.programme, datetime.now(UTC))
