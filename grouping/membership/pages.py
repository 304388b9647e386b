"""Pages of the groups: the list, and one group with its members."""

import math
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response

from grouping.membership import lists
from grouping.membership.queries import open_group
from grouping.reading import named
from grouping.refusals import SENTENCES
from services.contracts.base import Id
from services.contracts.grouping import Ending
from services.identity.auth import Role, Who, allowed
from services.web.frame import Frame, page_router
from services.web.frame.fragments import gather, gather_json
from services.web.frame.texts import N_
from services.web.run import Reader, Run

FRAME = Frame("grouping", "grouping.membership", refusals=SENTENCES)
router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]
DONE = "^(formato|entrata|conclusione|facilitatore)$"  # what was just done, by which a page says so
ENDINGS = {  # without `completed`, which is told by the calendar
    Ending.TOO_FEW: N_("too few people are left"),
    Ending.NO_FACILITATOR: N_("nobody can facilitate it"),
    Ending.NO_PLACE: N_("there is no place for it"),
    Ending.AGREED: N_("the group has decided so"),
    Ending.OTHER: N_("another reason"),
}
REASONS = {Ending.COMPLETED: N_("all meetings were held"), **ENDINGS}


@router.get("/gruppi")
async def groups(
    request: Request, read: Reader, who: Operator, concluse: bool = False, pagina: PageNumber = 1
) -> Response:
    """List the groups that meet, or the concluded ones, with their next meeting as sessions tells it."""
    listed = lists.groups_concluded if concluse else lists.groups_that_meet
    page = await listed(read, pagina)
    ids = [each["group"] for each in page.rows]
    coming = None
    if ids and not concluse:
        coming = (await gather_json(request, next=f"/sessions/groups/next-meetings?groups={','.join(ids)}"))["next"]
    shown: dict[str, Any] = {
        "concluded": concluse,
        "rows": page.rows,
        "total": page.total,
        "page": pagina,
        "pages": max(1, math.ceil(page.total / lists.PAGE)),
        "places": await named(read, "places", [each["place"] for each in page.rows]),
        "coming": _moments(coming),
        "reasons": REASONS,
    }
    return FRAME.page(request, "membership/groups.html", who=who, rules=read.rules, **shown)


def _moments(coming: Any) -> dict[str, Any] | None:
    """The next meeting of each group with its time as a time; None when sessions did not answer."""
    if not isinstance(coming, dict):
        return None
    return {group: {**each, "starts": datetime.fromisoformat(each["starts"])} for group, each in coming.items()}


@router.get("/gruppi/{group}")
async def group_sheet(
    group: Id,
    request: Request,
    run: Run,
    read: Reader,
    who: Operator,
    fatto: Annotated[str | None, Query(pattern=DONE)] = None,
) -> Response:
    """Show a group with its members, by code. The read is in their access logs. 404 no-such-group."""
    sheet = await run.query(open_group, group)
    parts = await gather(request, next=f"/sessions/frammenti/prossimo?group={group}")
    places = await named(read, "places", [sheet.place])
    shown: dict[str, Any] = {"sheet": sheet, "parts_of": parts, "places": places, "done": fatto}
    return FRAME.page(request, "membership/group.html", who=who, rules=read.rules, **shown)
