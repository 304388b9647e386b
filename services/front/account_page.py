"""The page of one's own account: who is signed in, what they may be, and another password at our own issuer.

Invariants: nobody changes a password without the old one, and guesses of it wait as those of a sign-in do. With another password every web
session of the account ends; this browser goes on in a new one.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.front import passwords
from services.front.accounts import Account, Accounts
from services.front.cookies import WEB_SESSION, Cookies
from services.front.door import OWN
from services.front.pages import FRAME, WORKERS_PAGE
from services.front.people import WebSession, WebSessions
from services.identity.attempts import Attempts
from services.programmes import Programme
from services.web.frame.form import Field, Filled, Form, Kind
from services.web.frame.texts import N_

ADDRESS = "/account"
DONE = "?fatto=password"
FORM = Form(
    Field("old", N_("Present password"), kind=Kind.PASSWORD, autocomplete="current-password"),
    Field(
        "new",
        N_("New password"),
        kind=Kind.PASSWORD,
        hint=N_(
            "At least 12 characters of any kind: four words with blanks between them are good and easy to remember"
        ),
        autocomplete="new-password",
    ),
    Field("again", N_("New password, once more"), kind=Kind.PASSWORD, autocomplete="new-password"),
)


class AccountPage:
    """The page, over what the site keeps. `own`: people sign in at our own issuer, which keeps their passwords."""

    def __init__(
        self,
        programmes: Mapping[str, Programme],
        sessions: WebSessions,
        accounts: Accounts,
        attempts: Attempts,
        cookies: Cookies,
        own: bool,
    ) -> None:
        self._programmes, self._sessions, self._accounts = programmes, sessions, accounts
        self._attempts, self._cookies, self._own = attempts, cookies, own

    def routes(self) -> list[Route]:
        """List the routes, at the root of the site."""
        return [Route(ADDRESS, self._show, methods=["GET"]), Route(ADDRESS, self._change, methods=["POST"])]

    async def _show(self, request: Request) -> Response:
        session = self._session(request)
        if isinstance(session, Response):
            return session
        return self._page(request, session, FORM.empty(), done=request.url.query == DONE[1:])

    async def _change(self, request: Request) -> Response:
        session = self._session(request)
        if isinstance(session, Response):
            return session
        filled = await FORM.filled(request)
        if not self._keeps_password_of(session):
            return RedirectResponse(ADDRESS, 303)
        if not _is_right(filled, session.person.subject):
            return self._page(request, session, filled, 422)
        changed = await self._changed(request, session, filled)
        if changed is None:
            status = 429 if "" in filled.errors else 403
            return self._page(request, session, filled, status)
        return await self._goes_on(session, changed)

    async def _changed(self, request: Request, session: WebSession, filled: Filled) -> Account | None:
        """Change the password, if the old one is right; else the mistake is in the form."""
        login, typed = session.person.subject, filled.values
        attempt = await self._attempts.begin(login, request.client.host if request.client else "")
        if isinstance(attempt, float):
            filled.wrong(
                "", N_("Too many attempts failed. Try again in %(seconds)d seconds."), seconds=math.ceil(attempt)
            )
            return None
        account = await self._accounts.who(login, typed["old"][: passwords.MOST])
        if account is None:
            self._attempts.failed(attempt)
            filled.wrong("old", N_("This is not the present password."))
            return None
        await self._attempts.succeeded(attempt)
        changed = await self._accounts.change_password(account, await passwords.hashed(typed["new"]))
        if changed is None:
            filled.wrong("old", N_("The password was changed elsewhere at this moment. Sign in again."))
        return changed

    async def _goes_on(self, session: WebSession, account: Account) -> Response:
        """Open a new web session here. The earlier ones have ended, since the account has another generation."""
        await self._sessions.end(session)
        person = replace(session.person, grants=account.grants, generation=account.generation)
        fresh = await self._sessions.begin(person, session.chosen)
        answer = RedirectResponse(ADDRESS + DONE, 303)
        self._cookies.remember(answer, fresh.secret)
        return answer

    def _session(self, request: Request) -> WebSession | Response:
        session: WebSession | None = request.scope.get(OWN)
        if session is None:
            answer = RedirectResponse(f"/accedi?next={ADDRESS}", 303)
            self._cookies.forget(answer, WEB_SESSION)
            return answer
        # Whoever came by a personal link has no account.
        return RedirectResponse(WORKERS_PAGE, 303) if session.worker else session

    def _keeps_password_of(self, session: WebSession) -> bool:
        return self._own and session.person.generation is not None

    def _page(
        self, request: Request, session: WebSession, filled: Filled, status: int = 200, *, done: bool = False
    ) -> Response:
        who = session.who
        shown: dict[str, Any] = {
            "form": filled,
            "done": done,
            "person": session.person,
            "own": self._keeps_password_of(session),
            "limits": passwords.LIMITS,
            "titles": {id: each.title for id, each in self._programmes.items()},
            "partners": {(id, one.id): one.name for id, each in self._programmes.items() for one in each.partners},
        }
        rules = self._programmes.get(who.programme) if who is not None else None
        return FRAME.page(request, "account.html", who=who, rules=rules, status=status, **shown)


def _is_right(filled: Filled, login: str) -> bool:
    """Check what was typed, but for the old password; what is wrong is in the form."""
    typed = filled.values
    for name in FORM.fields:
        if not typed[name]:
            filled.wrong(name, N_("Fill in: %(label)s"))
    if filled.errors:
        return False
    if (fault := passwords.fault_of(typed["new"], login)) is not None:
        filled.wrong("new", passwords.SENTENCES[fault], **passwords.LIMITS)
    elif typed["new"] == typed["old"]:
        filled.wrong("new", N_("This is the present password: choose another one."))
    elif typed["new"] != typed["again"]:
        filled.wrong("again", N_("The two new passwords are not the same. Write the new one twice."))
    return not filled.errors
