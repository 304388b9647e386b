"""HTTP as every service speaks it: bodies checked before anything reads them, failures that speak, a description that is true.

Invariant: no body larger than the limit is ever held, no text reaches a rule that an engine could not store, and whatever goes
wrong, the answer is a problem document that reveals nothing of the inside.
"""

from fastapi import FastAPI
from starlette.applications import Starlette

from services.kernel import Unavailable
from services.web import description, failures
from services.web.bodies import LARGEST, CheckedBodies
from services.web.common_routes import common_routes, health
from services.web.fields import Body, Day, Moment, etag, version_of
from services.web.headers import PlainHeaders
from services.web.problem import problem

__all__ = [
    "LARGEST",
    "Body",
    "Day",
    "Moment",
    "Unavailable",
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
    app.add_middleware(failures.Bounded)
    app.add_middleware(CheckedBodies)
    app.add_middleware(failures.Caught)
    install_outside(app)  # the last one added is the first to see a request
    description.install(app)


def install_outside(app: Starlette) -> None:
    """Problem documents and headers alone, for what the services stand in: there, too, an address may be wrong."""
    failures.install(app)
    app.add_middleware(PlainHeaders)
