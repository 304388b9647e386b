"""The download of a worker's data: everything that every service holds of them, as one archive.

Invariant: the worker downloads by their own page; an administrator, who answers a request on paper, by a program, and is in the log for it.
"""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from enrolment.personal.collecting import bundle, collected
from enrolment.personal.pages import Myself, myself
from enrolment.personal.wording import FRAME
from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.web.frame import page_router
from services.web.frame.texts import LANGUAGES
from services.web.pages import language_of
from services.web.run import Run

router = page_router(FRAME)
data = APIRouter()


@router.get("/me/scarica")
async def download(request: Request, run: Run, who: Myself) -> Response:
    """Say what is in the archive, and whom to ask about it. 410 erased."""
    await myself(run, who)
    return FRAME.page(request, "download.html", who=who, rules=run.rules, office=run.rules.office)


@router.get("/me/scarica/tutto.zip")
async def everything(request: Request, run: Run, who: Myself) -> Response:
    """The archive: a page to read, JSON for a program, and the log of accesses. 410 erased."""
    taken = await collected(request, run, who.subject)
    return bundle(taken, run.rules, language_of(request, LANGUAGES))


@data.get("/people/{worker}/export", response_class=Response)
async def export(worker: Id, request: Request, run: Run, _: Annotated[Who, allowed(Role.ADMINISTRATOR)]) -> Response:
    """The same archive, for whoever answers a request of the person. 404 no-such-worker · 410 erased."""
    taken = await collected(request, run, worker)
    return bundle(taken, run.rules, language_of(request, LANGUAGES))
