"""The route by which an operator has a new link to a survey sent to somebody who has lost theirs."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path

from services.contracts.base import Id, Slug
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused
from services.programmes.instruments import Instrument
from services.web.run import Run
from sessions import commands as do

Wave = Annotated[str, Path(pattern=r"^T[0-9]$")]


def router(instruments: Mapping[str, Instrument]) -> APIRouter:
    """The one route. `instruments`: with their wording."""
    routes = APIRouter()

    @routes.post("/workers/{worker}/surveys/{instrument}/{wave}/link", status_code=202)
    async def link(
        worker: Id,
        instrument: Slug,
        wave: Wave,
        run: Run,
        who: Annotated[Who, allowed(Role.OPERATOR)],
    ) -> None:
        """Send the person a new link to an open survey, in place of the earlier one, which opens nothing any more. 404 no-such-survey · 409
        no-consent, not-open, submitted-already, no-wording."""
        known = instruments.get(instrument)
        if known is None:
            raise Refused("no-such-survey", f"There is no instrument {instrument}.", Refusal.NOT_FOUND)
        if not known.languages:
            raise Refused("no-wording", f"The questions of {instrument} have no text here, so nobody is sent them.")
        await run(do.renew_link, do.RenewLink(worker=worker, instrument=instrument, wave=wave))

    return routes
