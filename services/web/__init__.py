"""HTTP of every service: bodies, problem documents, OpenAPI pages, and the frame of the site.

Imports kernel, contracts, programmes, store, events and identity. Packages from `runtime` upwards, and routes of the rooms, may import it.
Invariant: no body above the limit is held in memory; no text reaches a rule that an engine cannot store; every failure is answered with a
problem document that reveals nothing of the inside.
"""

from fastapi import FastAPI
from starlette.applications import Starlette

from services.identity.route_access import access_of
from services.kernel import Unavailable
from services.web import admission, description, failures
from services.web.bodies import LARGEST, CheckedBodies
from services.web.common_routes import common_routes, health
from services.web.fields import (
    BirthYear,
    Body,
    Day,
    Email,
    Language,
    Line,
    Moment,
    Note,
    Once,
    Telephone,
    etag,
    version_of,
)
from services.web.frame.routing import Pages
from services.web.headers import PlainHeaders
from services.web.person_fields import Company, Employer, FiscalCode, MonthsOut, YearsInJob
from services.web.problem import problem

__all__ = [
    "LARGEST",
    "BirthYear",
    "Body",
    "Company",
    "Day",
    "Email",
    "Employer",
    "FiscalCode",
    "Language",
    "Line",
    "Moment",
    "MonthsOut",
    "Note",
    "Once",
    "Telephone",
    "Unavailable",
    "YearsInJob",
    "common_routes",
    "etag",
    "health",
    "install",
    "install_outside",
    "problem",
    "version_of",
]  # fmt: skip


def install(app: FastAPI) -> None:
    """Give a service all of it. Call it once, when its routes are included and before it answers."""
    # Innermost: the limit is for the route's MongoDB operations, not for the time in which a slow body arrives.
    app.add_middleware(failures.Bounded)
    app.add_middleware(CheckedBodies)
    # Before a body is read: who may not call is told so unread.
    app.add_middleware(admission.Admitted, of=app, routes=list(access_of(app)))
    # The rest is outside the checks of bodies, so that a defect in them is logged and answered as well.
    install_outside(app)  # the last one added is the first to see a request
    description.install(app)


def install_outside(app: Starlette) -> None:
    """Problem documents and headers alone, for what the services stand in: there, too, an address may be wrong."""
    # Starlette would redirect to an address that it takes from the header Host, which a caller chooses.
    app.router.redirect_slashes = False
    failures.install(app)
    app.add_middleware(failures.Caught)
    # Outside all that refuses, and inside the headers that every answer has.
    app.add_middleware(Pages)
    app.add_middleware(PlainHeaders)
