"""The site assembled: its pages, our own issuer, the console, and the door through which every request comes.

Invariant: `ama up` and `ama serve site` have the same routes and the same door; only what stands behind them differs.
"""

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from services import programmes, web
from services.front import passwords
from services.front.account_page import AccountPage
from services.front.accounts import Accounts
from services.front.begun import Begun
from services.front.choices import Choices
from services.front.claims import rules_of
from services.front.cookies import Cookies
from services.front.door import CrossSite, FrontDoor, Passing, Tokens
from services.front.issuer_pages import IssuerPages
from services.front.links import Links
from services.front.pages import Pages
from services.front.people import WebSessions
from services.front.sealed import Clock, utc
from services.identity.attempts import Attempts
from services.identity.auth import Authenticator
from services.identity.issuer import Issuer
from services.identity.oidc import Provider
from services.identity.settings import CLIENT, SiteSettings
from services.operations.console.app import OperatorsConsole
from services.runtime.service import served
from services.store.mongo import PyMongoError, Store, within
from services.web.frame import statements, static

NAME = "site"
LOOK = 2.0  # seconds in which a database that is there answers


class Site:
    """The site, with its own database `{prefix}_site`. Call `start` before the first request, and `close` at the end."""

    def __init__(self, settings: SiteSettings, clock: Clock = utc) -> None:
        self.settings = settings
        self.programmes = served(programmes.load_all(settings.programmes), settings.only)
        self.issuer = Issuer(settings.keys, settings.own_issuer)
        self.store, self._client = Store(settings.mongo, settings.database_of(NAME)), httpx.AsyncClient()
        self.accounts, cookies = Accounts(self.store), Cookies(settings)
        self.sessions = WebSessions(self.store, self.accounts, settings, clock)
        self._begun, self._choices = Begun(self.store, clock), Choices(self.store, self.issuer.secret_for("choices"))
        attempts = Attempts(self.store, self.issuer.secret_for("attempts"), clock)
        clients = {CLIENT: settings.return_address}
        self.issuer_pages = IssuerPages(self.issuer, self.store, self.accounts, clients, attempts, clock)
        own = settings.embedded
        self.account_page = AccountPage(self.programmes, self.sessions, self.accounts, attempts, cookies, own)
        self.provider = Provider(settings, self._client)
        self.console = OperatorsConsole(self._client, settings.services)
        self.passing = Passing(self.sessions, cookies, Tokens(self.issuer), settings.base)
        self.pages = Pages(
            settings,
            self.programmes,
            sessions=self.sessions,
            accounts=self.accounts,
            begun=self._begun,
            choices=self._choices,
            provider=self.provider,
            links=Links(self._client, settings.services),
            rules=rules_of(settings.claims),
        )

    async def start(self) -> None:
        """Make collections and indexes."""
        for each in (self.sessions, self._begun, self._choices, self.accounts, self.issuer_pages):
            await each.prepare()

    async def make_first_account(self) -> str | None:
        """Make the first account where there is none. Returns its password, which is kept nowhere."""
        password = passwords.new_password()
        made = await self.accounts.make_first(list(self.programmes), await passwords.hashed(password))
        return password if made else None

    async def close(self) -> None:
        """End streams of the console, since a server that stops waits for open answers, and the connections."""
        self.console.close()
        await self._client.aclose()
        await self.store.close()

    def routes(self) -> list[BaseRoute]:
        """List everything that the front answers, at the root of the site."""
        sign_in = self.issuer_pages if self.settings.embedded else None
        return [
            *self.pages.routes(),
            *self.account_page.routes(),
            *static.routes(),
            *statements.routes(self.settings, self.programmes),
            Mount("/issuer", self.issuer.app(sign_in)),
            *self.console.routes(),
        ]

    def door(self, app: ASGIApp) -> FrontDoor:
        """Put the door before an application."""
        return FrontDoor(app, self.passing, self.pages.refuse_cross_site, self.pages.away)

    def app(self) -> Starlette:
        """Give the application of a process that is the site alone, behind a proxy that asks `/forward-auth` for the services."""
        inside = Starlette(routes=self.routes())
        inside.state.auth = Authenticator(self.settings, known=self.programmes)
        web.install_outside(inside)
        app = Starlette(
            routes=[
                Route("/healthz", self._alive, methods=["GET"]),
                Route("/readyz", self._ready, methods=["GET"]),
                Route("/forward-auth", self._forward_auth, methods=["GET"]),
                Mount("/", self.door(inside)),
            ]
        )
        web.install_outside(app)
        return app

    async def _alive(self, _: Request) -> Response:
        return JSONResponse({"service": NAME, "status": "alive"})

    async def _ready(self, _: Request) -> Response:
        try:
            with within(LOOK):
                await self.store.ping()
        except PyMongoError:
            return JSONResponse({"service": NAME, "status": "not ready", "missing": ["MongoDB"]}, 503)
        return JSONResponse({"service": NAME, "status": "ready"})

    async def _forward_auth(self, request: Request) -> Response:
        """Tell a proxy with which Authorization header a request goes on. The proxy writes the method; no caller reaches this address."""
        method = request.headers.get("x-forwarded-method", "")
        try:
            # Without a method nothing is taken for reading.
            passage = await self.passing.judge(method, request)
        except CrossSite:
            return self.pages.refuse_cross_site(request)
        # Never absent: Caddy would copy the name of its own variable in place of a missing header.
        return Response(headers={"Authorization": passage.authorization or ""})
