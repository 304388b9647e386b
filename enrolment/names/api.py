"""The route by which the roll-call of a group gets the names of its members."""

from typing import Annotated

from fastapi import APIRouter, Query

from enrolment.names import queries
from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.web import Day
from services.web.run import Reader, Run

router = APIRouter()
OWN_GROUP = {Role.FACILITATOR: "the groups that they lead on that day, and still lead"}
Leading = Annotated[Who, allowed(Role.FACILITATOR, Role.OPERATOR, own=OWN_GROUP)]


@router.get("/groups/{group}/names")
async def names(
    group: Id,
    on: Annotated[Day, Query(description="the day of the meeting")],
    run: Run,
    read: Reader,
    who: Leading,
) -> dict[str, str]:
    """Names of the members of that day by id, as a roll-call shows them. The read is written to each member's log of accesses.
    404 no-such-group, also for the group of another facilitator."""
    rolls = queries.Rolls(
        await read.rows("leaders", {"group": group}, limit=queries.MOST),
        await read.rows("members", {"group": group}, limit=queries.MOST),
    )
    facilitator = who.subject if who.role is Role.FACILITATOR else None
    return await run.query(queries.read_names, group, rolls, facilitator, on)
