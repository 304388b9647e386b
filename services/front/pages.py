"""The front's own pages: start, sign-in and its return, choice of the role, sign-out, personal links.

Invariants: a sign-in ends the web session that this browser had. Whoever may do nothing here has no web session. Where somebody goes on is
always a path of this site.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.contracts.topics import SERVICES
from services.front.accounts import PROBE, STUDY, Accounts
from services.front.begun import Begun
from services.front.choices import Choices
from services.front.claims import Rule, grants_of
from services.front.cookies import BEGUN, WEB_SESSION, Cookies
from services.front.door import OWN
from services.front.grants import Grant
from services.front.links import Links
from services.front.local import local, with_next
from services.front.people import WORKERS, Person, WebSession, WebSessions
from services.identity.auth import Role
from services.identity.oidc import NotSignedIn, Provider, SignedIn
from services.identity.settings import RETURN, SiteSettings
from services.identity.texts import text_of
from services.kernel import Unavailable
from services.programmes import Programme
from services.web import failures
from services.web.forms import form_of, typed
from services.web.frame import Frame
from services.web.frame.addresses import is_page, landing_of

log = logging.getLogger(__name__)
FRAME = Frame("services.front")
WORKERS_PAGE = "/me"  # for people who have no account: they come by a link


class Pages:
    """The front's pages, over what the site keeps."""

    def __init__(
        self,
        settings: SiteSettings,
        programmes: Mapping[str, Programme],
        *,
        sessions: WebSessions,
        accounts: Accounts,
        begun: Begun,
        choices: Choices,
        provider: Provider,
        links: Links,
        rules: list[Rule] | None,
    ) -> None:
        self._settings, self._programmes, self._sessions, self._accounts = settings, programmes, sessions, accounts
        self._begun, self._choices, self._provider, self._links, self._rules = begun, choices, provider, links, rules
        self._cookies = Cookies(settings)

    def routes(self) -> list[Route]:
        """List the routes, at the root of the site."""
        return [
            Route("/", self._start, methods=["GET"]),
            Route("/accedi", self._sign_in, methods=["GET"]),
            Route(RETURN, self._return, methods=["GET"]),
            Route("/ruolo", self._roles, methods=["GET"]),
            Route("/ruolo", self._choose, methods=["POST"]),
            Route("/esci", self._leave, methods=["GET"]),
            Route("/esci", self._sign_out, methods=["POST"]),
            Route("/entra/{token}", self._link, methods=["GET"]),
            Route("/entra/{token}", self._enter, methods=["POST"]),
        ]

    def refuse_cross_site(self, request: Request) -> Response:
        """Answer a change that a page of another site asked for."""
        log.warning("a change was refused", extra={"reason": "cross-site"})
        return FRAME.page(request, "cross_site.html", status=403)

    def away(self, request: Request) -> Response:
        """Answer somebody who has a cookie while nobody can tell whose it is: with a page to people, with a document to programs."""
        silent = Unavailable("MongoDB does not answer.")
        if not is_page(request.url.path):
            return failures.unavailable(silent)
        return FRAME.refusal(request, 503, "unavailable")

    def _page(
        self, request: Request, template: str, session: WebSession | None, status: int = 200, **shown: Any
    ) -> Response:
        who = session.who if session is not None else None
        rules = self._programmes.get(who.programme) if who is not None else None
        return FRAME.page(request, template, who=who, rules=rules, status=status, **shown)

    async def _start(self, request: Request) -> Response:
        session = _session(request)
        landing = _first_page(session) if session is not None else None
        titles = [each for id, each in self._programmes.items() if id not in (PROBE, STUDY)]
        return self._page(request, "start.html", session, services=SERVICES, landing=landing, programmes=titles)

    async def _sign_in(self, request: Request) -> Response:
        then, session = local(request.query_params.get("next", "")), _session(request)
        if session is not None:
            return RedirectResponse(_goes_on(session, then), 303)
        # A worker has no account: signing in would be a dead end for them.
        if then is not None and f"{then}/".startswith(f"{WORKERS_PAGE}/") and "staff" not in request.query_params:
            return FRAME.page(request, "link_needed.html", status=401)
        try:
            address, pending = await self._provider.begin()
        except Unavailable:
            return FRAME.page(request, "provider_away.html", status=503)
        answer = RedirectResponse(address, 303)
        self._cookies.remember_begun(answer, await self._begun.keep(pending, then))
        return answer

    async def _return(self, request: Request) -> Response:
        try:
            pending, then = await self._begun.take(self._cookies.read(request, BEGUN))
            person = await self._person(await self._provider.finish(dict(request.query_params), pending))
        except NotSignedIn as error:
            log.warning("sign-in was refused", extra={"reason": error.why})
            answer = FRAME.page(request, "not_signed_in.html", status=400)
            self._cookies.forget(answer, BEGUN)
            return answer
        except Unavailable:
            return FRAME.page(request, "provider_away.html", status=503)
        if not person.grants:
            return FRAME.page(request, "no_grant.html", status=403, name=person.name, out=await self._out(person))
        chosen = await self._choices.last(self._settings.issuer, person.subject, person.grants)
        return await self._signed_in(request, person, chosen, then)

    async def _signed_in(
        self, request: Request, person: Person, chosen: Grant | None, then: str | None, lasts: timedelta | None = None
    ) -> Response:
        """Open a web session, and end the one that this browser had: it would stay open until it expires."""
        if (earlier := await self._sessions.find(self._cookies.read(request, WEB_SESSION))) is not None:
            await self._sessions.end(earlier)
        session = await self._sessions.begin(person, chosen, lasts)
        answer = RedirectResponse(_goes_on(session, then), 303)
        self._cookies.remember(answer, session.secret)
        self._cookies.forget(answer, BEGUN)
        return answer

    async def _person(self, signed: SignedIn) -> Person:
        """Return who signed in. NotSignedIn for a subject that cannot be stored, or an account that was disabled meanwhile."""
        claims = signed.claims
        try:
            subject = text_of(claims["sub"])
            name = text_of(
                next(str(claims[each]) for each in ("name", "preferred_username", "sub") if claims.get(each))[:100]
            )
        except ValueError as error:
            raise NotSignedIn("subject") from error
        if not self._settings.embedded:
            found = [each for each in grants_of(claims, self._rules) if each.programme in self._programmes]
            return Person(subject, name, tuple(found), signed.id_token)
        account = await self._accounts.find(subject)
        if account is None or account.disabled:
            raise NotSignedIn("account")
        return Person(subject, account.name, account.grants, signed.id_token, account.generation)

    async def _roles(self, request: Request) -> Response:
        session = _session(request)
        if session is None:
            return RedirectResponse(with_next("/accedi", local(request.query_params.get("next", ""))), 303)
        return self._chooser(request, session)

    def _chooser(self, request: Request, session: WebSession, status: int = 200) -> Response:
        then, grants = local(request.query_params.get("next", "")), session.person.grants
        rows = [(str(each), each, *self._words(each)) for each in grants]
        return self._page(request, "roles.html", session, status, rows=rows, then=then or "", chosen=session.chosen)

    def _words(self, grant: Grant) -> tuple[str | None, str | None]:
        """Return the programme's title in Italian, and the partner's name, where the programme is known here."""
        rules = self._programmes.get(grant.programme)
        if rules is None:
            return None, None
        partner = next((each.name for each in rules.partners if each.id == grant.partner), None)
        return rules.title, partner

    async def _choose(self, request: Request) -> Response:
        session, form = _session(request), await form_of(request)
        if session is None:
            return RedirectResponse("/accedi", 303)
        chosen = next((each for each in session.person.grants if str(each) == typed(form, "ruolo")), None)
        if chosen is None:
            return self._chooser(request, session, 422)
        await self._choices.note(self._settings.issuer, session.person.subject, chosen)
        session = await self._sessions.choose(session, chosen)
        return RedirectResponse(_goes_on(session, local(typed(form, "next"))), 303)

    async def _leave(self, request: Request) -> Response:
        session = _session(request)
        return RedirectResponse("/", 303) if session is None else self._page(request, "leave.html", session)

    async def _sign_out(self, request: Request) -> Response:
        session, out = _session(request), None
        if session is not None:
            await self._sessions.end(session)
            out = await self._out(session.person)
        worker = session is not None and session.worker
        answer = FRAME.page(request, "signed_out.html", out=out, worker=worker)
        self._cookies.forget(answer, WEB_SESSION, BEGUN)
        return answer

    async def _out(self, person: Person) -> str | None:
        """Return where the person ends the sign-in at another provider, which would sign the next one in without asking."""
        if self._settings.embedded or not person.id_token:
            return None
        return await self._provider.end_address(person.id_token, f"{self._settings.base}/")

    async def _link(self, request: Request) -> Response:
        # Nothing is asked of enrolment yet: programs that look at mails open links, and no person is there.
        return FRAME.page(request, "link.html")

    async def _enter(self, request: Request) -> Response:
        try:
            person = await self._links.redeem(request.path_params["token"])
        except Unavailable:
            return FRAME.page(request, "link.html", status=503, away=True)
        if person is None or person.grants[0].programme not in self._programmes:
            return FRAME.page(request, "link_over.html", status=404, programmes=self._contacts())
        return await self._signed_in(request, person, person.grants[0], WORKERS_PAGE, WORKERS)

    def _contacts(self) -> list[Programme]:
        """Return the programmes that say whom to ask."""
        return [each for id, each in self._programmes.items() if each.contact is not None and id not in (PROBE, STUDY)]


def _session(request: Request) -> WebSession | None:
    session: WebSession | None = request.scope.get(OWN)
    return session


def _first_page(session: WebSession) -> str:
    """Return where somebody begins: the page of their role, or the choice of one."""
    return landing_of(session.chosen.role) if session.chosen is not None else "/ruolo"


def _goes_on(session: WebSession, then: str | None) -> str:
    if session.chosen is None:
        return with_next("/ruolo", then)
    return then or landing_of(Role(session.chosen.role))
