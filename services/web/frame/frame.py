"""The frame of the site: pages of a room inside one header, navigation and footer, in the reader's language.

Invariants: every shown value is escaped; every page has the security headers; what a template names and does not have is an error.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.kernel import code_of
from services.web.frame import addresses
from services.web.frame.filters import filters, part, translating
from services.web.frame.refusals import SENTENCES, page_of
from services.web.frame.static import asset
from services.web.frame.texts import LANGUAGES, Said, translations_of
from services.web.pages import COOKIE, HEADERS, POLICY, TLS_HEADERS, YEAR, encodable, language_of

_PLACES = re.compile(r"%\((\w+)\)")  # of values in a text
OWN = frozenset(
    {"address", "reader_name", "language_links", "languages"}
)  # names in a template that the frame alone sets
HERE = Path(__file__).parent
Pairs = Iterable[tuple[str, str]]
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
        # Browsers read `//` and `/\` at the beginning of an address as the name of another site.
        here = "/" + quote(path).lstrip("/")
        others = {each: f"{here}?{urlencode([*pairs, ('lang', each)])}" for each in LANGUAGES}
        given: dict[str, Any] = {"who": None, "rules": None, **shown}
        own = {"address": path, "reader_name": getattr(given["who"], "name", None), "language_links": others}
        if taken := OWN & shown.keys():
            raise ValueError(f"a page may not show what the frame has: {', '.join(sorted(taken))}")
        return self.html(self.language(request), template, **given, **own, languages=LANGUAGES)

    def answer(self, request: Request, body: str, status: int = 200, forms: str = "'self'") -> Response:
        """Answer with a page, its security headers, and the cookie of a language that was chosen."""
        language = self.language(request)
        # A proxy in front speaks TLS with the browser, and tells so; a caller who forges it changes their own answer alone.
        tls = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
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

    def refusal(
        self, request: Request, status: int, code: str, who: Any = None, typed: Pairs = (), **members: Any
    ) -> Response:
        """Render the page of a refusal: the sentence of its code, and what to do next. `typed`: a form that can be sent again."""
        page = page_of(status)
        said = Said(page.sentence, values=members, code=code)
        return self.page(
            request, "frame/refusal.html", who=who, status=status, refused=page, sentence=said, typed=typed
        )

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
            auto_reload=False,  # templates are part of the program: else each use looks at the files
            extensions=["jinja2.ext.i18n"],
        )
        translations = self._translations[language]
        environment.filters |= filters(language, translations)
        environment.globals |= {
            **translating(translations),
            "asset": asset,
            "navigation_of": addresses.navigation_of,
            "landing_of": addresses.landing_of,
            "role_name": lambda role: translations.gettext(addresses.ROLES[role]),
            "said": partial(self.said, language),
            "code_of": code_of,
            "part": part,
        }
        return environment


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
