"""The frame of the site: pages of a room inside one header, navigation and footer, in the reader's language.

Invariants: every shown value is escaped; every page has the security headers; what a template names and does not have is an error.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.web.frame import addresses, dates
from services.web.frame.refusals import SENTENCES, page_of
from services.web.frame.static import asset
from services.web.frame.texts import LANGUAGES, N_, Said, translations_of
from services.web.pages import COOKIE, HEADERS, POLICY, TLS_HEADERS, YEAR, encodable, language_of, pretty
from services.web.pages import moment as to_the_second

_PLACES = re.compile(r"%\((\w+)\)")  # of values in a text
HERE = Path(__file__).parent
LONGEST_QUERY = 1000  # characters of an address that the links to other languages carry on


class Frame:
    """Renders the pages of one or more packages, each with a folder `templates`. Texts come from the nearest folder `locale` of each
    package, then from the frame's own. `refusals`: sentences of the room for its own codes."""

    def __init__(self, *packages: str, refusals: Mapping[str, str] | None = None) -> None:
        self._folders = [_folder(each) for each in packages]
        self.refusals = {**SENTENCES, **(refusals or {})}

    def page(
        self,
        request: Request,
        template: str,
        *,
        who: Any = None,
        rules: Any = None,
        status: int = 200,
        forms: str = "'self'",
        **shown: Any,
    ) -> Response:
        """Render a whole page. `who` is the caller, whose navigation it has; `rules` the programme, whose zone times have; `forms` the
        addresses that its forms may lead to, redirections included. A `form` with mistakes makes the status 422."""
        if status == 200 and getattr(shown.get("form"), "errors", None):
            status = 422
        body = self.body(request, template, who=who, rules=rules, **shown)
        return self.answer(request, body, status, forms)

    def language(self, request: Request) -> str:
        """Return the language of the reader."""
        return language_of(request, LANGUAGES)

    def body(self, request: Request, template: str, *, keeps_query: bool = True, **shown: Any) -> str:
        """Render a page as text. `keeps_query`: the links to other languages keep the query of the address."""
        path, query = request.url.path, request.url.query
        kept = parse_qsl(query, keep_blank_values=True) if keeps_query and len(query) <= LONGEST_QUERY else []
        pairs = [pair for pair in kept if pair[0] != "lang"]
        others = {each: f"{path}?{urlencode([*pairs, ('lang', each)])}" for each in LANGUAGES}
        given: dict[str, Any] = {"who": None, "rules": None, **shown, "address": path}
        given |= {"person": getattr(given["who"], "name", None), "language_links": others, "languages": LANGUAGES}
        return self.html(self.language(request), template, **given)

    def answer(self, request: Request, body: str, status: int = 200, forms: str = "'self'") -> Response:
        """Answer with a page, its security headers, and the cookie of a language that was chosen."""
        language = self.language(request)
        tls = request.url.scheme == "https"
        headers = {
            "Content-Language": language,
            "Vary": "Accept-Language, Cookie",  # a cache must not give one reader the page of another
            **HEADERS,
            **(TLS_HEADERS if tls else {}),
            "Content-Security-Policy": POLICY.format(forms=forms),
        }
        answer = HTMLResponse(body, status, headers)
        if request.query_params.get("lang") in LANGUAGES:
            answer.set_cookie(COOKIE, language, max_age=YEAR, path="/", secure=tls, httponly=True, samesite="lax")
        return answer

    def part(self, request: Request, template: str, *, who: Any = None, rules: Any = None, **shown: Any) -> Response:
        """Render a fragment of a page, for a route of fragments."""
        body = self.body(request, template, who=who, rules=rules, **shown)
        return HTMLResponse(
            body, headers={"Content-Language": self.language(request), "Vary": "Accept-Language, Cookie"}
        )

    def html(self, language: str, template: str, *, rules: Any = None, **shown: Any) -> str:
        """Render a template without a request: a part of a live page."""
        rendered = self._environments[language].get_template(template).render(rules=rules, language=language, **shown)
        return encodable(rendered)

    def text(self, language: str, text: str, **values: Any) -> str:
        """Translate one text outside a template."""
        translated: str = self._translations[language].gettext(text)
        return translated % values if values else translated

    def said(self, language: str, said: Said | str) -> str:
        """Translate a sentence of a form or a refusal."""
        translate: Callable[[str], str] = self._translations[language].gettext
        if isinstance(said, str):
            return translate(said)
        values = {**said.values, "label": translate(said.label) if said.label is not None else ""}
        for text in (self.refusals.get(said.code or ""), said.text):
            # A refusal of the same code may not say every value that the sentence shows.
            if text is not None and set(_PLACES.findall(text)) <= values.keys():
                translated = translate(text)
                return translated % values if _PLACES.search(text) else translated
        raise KeyError(said.text)

    def refusal(self, request: Request, status: int, code: str, who: Any = None, **members: Any) -> Response:
        """Render the page of a refusal: the sentence of its code, and what to do next."""
        page = page_of(status)
        said = Said(page.sentence, values=members, code=code)
        return self.page(request, "frame/refusal.html", who=who, status=status, refused=page, sentence=said)

    @cached_property
    def _translations(self) -> dict[str, Any]:
        folders = tuple(dict.fromkeys([*map(_locale, self._folders), HERE / "locale"]))
        return {each: translations_of(each, folders) for each in LANGUAGES}

    @cached_property
    def _environments(self) -> dict[str, Environment]:
        # One for each language, so that also a macro that is imported without its context speaks the reader's language.
        return {each: self._environment(each) for each in LANGUAGES}

    def _environment(self, language: str) -> Environment:
        folders = [*(each / "templates" for each in self._folders), HERE / "templates"]
        environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(each) for each in folders]),
            autoescape=True,
            undefined=StrictUndefined,  # a misspelt name fails instead of showing nothing
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        translations = self._translations[language]
        environment.filters |= _filters(language, translations)
        environment.globals |= {
            **_translating(translations),
            "asset": asset,
            "navigation_of": addresses.navigation_of,
            "landing_of": addresses.landing_of,
            "role_name": lambda role: translations.gettext(addresses.ROLES[role]),
            "said": partial(self.said, language),
            "part": _part,
        }
        return environment


def _translating(translations: Any) -> dict[str, Callable[..., str]]:
    """Return `_` and `ngettext` of templates. Jinja's own newstyle functions take every text for markup, and a text that is given to a
    macro may be somebody's name."""

    def gettext(text: str, **values: Any) -> str:
        translated: str = translations.gettext(text)
        return escape(translated) % values if values else translated

    def ngettext(one: str, several: str, n: int, **values: Any) -> str:
        return escape(translations.ngettext(one, several, n)) % {"num": n, **values}

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext}


def _part(fragment: Any, missing: str) -> Markup:
    """Show the fragment of another service, or the sentence in its place. Its HTML was made by one of our services."""
    if fragment is not None and fragment.html is not None:
        return Markup(fragment.html)  # noqa: S704
    return Markup('<p class="missing" role="note">{}</p>').format(missing)


def _filters(language: str, translations: Any) -> dict[str, Callable[..., Any]]:
    def zoned(write: Callable[..., str]) -> Callable[..., str]:
        @pass_context
        def written(context: Context, value: Any, *given: Any) -> str:
            return write(value, language, _zone(context), *given)

        return written

    @pass_context
    def moment(context: Context, value: datetime) -> Markup:
        zone = _zone(context)
        text = translations.gettext(N_("%(day)s, at %(time)s"))
        text %= {"day": dates.long_day(value, language, zone), "time": dates.time_of(value, language, zone)}
        return Markup('<time datetime="{}">{}</time>').format(
            value.astimezone(zone).isoformat(timespec="minutes"), text
        )

    @pass_context
    def days_ago(context: Context, since: date | int) -> str:
        n = since if isinstance(since, int) else _days_since(since, _zone(context))
        if n <= 0:
            return str(translations.gettext(N_("since today")))
        text: str = translations.ngettext("for %(num)d day", "for %(num)d days", n)
        return text % {"num": n}

    names = {
        "day": dates.day,
        "short_day": dates.short_day,
        "long_day": dates.long_day,
        "date": dates.full_date,
        "time": dates.time_of,
    }
    zoned_ones = {
        name: zoned(write) for name, write in {**names, "month": dates.month, "the_day": dates.the_day}.items()
    }
    plain: dict[str, Callable[..., str]] = {"number": dates.number, "percent": dates.percent, "listed": dates.listed}
    plain["the_weekday"] = dates.the_weekday
    return {
        **zoned_ones,
        **{name: (lambda value, write=write: write(value, language)) for name, write in plain.items()},
        "moment": moment,
        "utc": to_the_second,
        "pretty": pretty,
        "days_ago": days_ago,
    }


def _zone(context: Context) -> Any:
    # Absent where a macro was imported without its context: a wrong zone would be worse than an error.
    rules = context["rules"]
    return dates.DEFAULT_ZONE if rules is None else rules.zone


def _days_since(since: date, zone: Any) -> int:
    first = since.astimezone(zone).date() if isinstance(since, datetime) else since
    return (datetime.now(UTC).astimezone(zone).date() - first).days


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"{package} is no package with templates")
    return Path(spec.submodule_search_locations[0])


def _locale(folder: Path) -> Path:
    """Return the nearest `locale` of a package: its own, or that of the room that it is a slice of."""
    inside: Iterable[Path] = (folder, *folder.parents)
    packages = (each for each in inside if (each / "__init__.py").exists())
    return next((each / "locale" for each in packages if (each / "locale").is_dir()), folder / "locale")
