"""A small service with one route of each kind, as the five have them."""

from typing import Annotated

from fastapi import APIRouter, FastAPI, Form, Response
from pydantic import EmailStr, Field

from services import web
from services.contracts.base import Id
from services.identity import auth
from services.identity.auth import Role, Who, allowed, open_to_all
from services.identity.route_access import check_protected
from services.kernel import Refused
from services.settings import Settings
from services.web import Body, Moment, Unavailable

PROGRAMMES = ("jobs2", "monza-brianza")


class Card(Body):
    name: str = Field(min_length=1, max_length=20)
    email: EmailStr | None = None


class Referral(Body):
    person: Card
    at: Moment | None = None
    slots: list[str] = Field(default_factory=list)
    seats: int = 0


def router() -> APIRouter:
    routes = APIRouter()

    @routes.post("/referrals", status_code=201)
    async def refer(
        body: Referral,
        who: Annotated[Who, allowed(Role.OPERATOR, Role.REFERRER, own={Role.REFERRER: "what they send"})],
    ) -> Referral:
        """Take what was sent, and give it back."""
        return body

    @routes.get("/workers/{worker}")
    async def worker(
        worker: Id, who: Annotated[Who, allowed(Role.OPERATOR)], response: Response, limit: int = 10
    ) -> dict[str, str]:
        """Report the caller of the request."""
        response.headers["ETag"] = web.etag(3)
        return {
            "worker": worker,
            "role": who.role,
            "subject": who.subject,
            "programme": who.programme,
            "partner": who.partner or "",
        }

    @routes.get("/refused", dependencies=[allowed(Role.OPERATOR)])
    async def refused() -> None:
        """Refuse by a rule."""
        raise Refused("not-referred", "Worker w1 is admitted, not referred.", seats=9)

    @routes.get("/away", dependencies=[allowed(Role.OPERATOR)])
    async def away() -> None:
        """Fail since an engine is away."""
        raise Unavailable("The database does not answer.", after=7)

    @routes.get("/defect/{link}", dependencies=[allowed(Role.OPERATOR)])
    async def defect(link: str) -> None:
        """Fail in a way that nobody expected."""
        raise RuntimeError("Ada Lovelace lives in via Roma 1")

    @routes.post("/answers", dependencies=[open_to_all("a form behind a signed personal link")])
    async def answers(mood: Annotated[int, Form()]) -> dict[str, int]:
        """Take the form of a page."""
        return {"mood": mood}

    return routes


def build(settings: Settings, *more: APIRouter) -> FastAPI:
    """As a service is put together."""
    app = FastAPI(title="specimen", version="1", docs_url=None, redoc_url=None)
    app.state.auth = auth.Authenticator(settings, known=PROGRAMMES)
    for each in (router(), *more):
        app.include_router(each)
    web.install(app)
    check_protected(app)
    return app
