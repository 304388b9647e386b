"""A site: the templates of one package, and its texts in each language.

Invariant: every value that a template shows is escaped; every page carries the headers of `services.web.pages`.
"""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.web.pages import COOKIE, HEADERS, POLICY, TLS_HEADERS, YEAR, encodable, language_of, moment, pretty

Words = Mapping[str, Mapping[str, str]]


class Site:
    """Renders the pages of one package. `languages` maps a language code to its own name; `words` maps it to the texts by key."""

    def __init__(self, package: str, languages: Mapping[str, str], words: Words) -> None:
        self.languages, self.words = languages, words
        self._templates = Environment(
            loader=PackageLoader(package),
            autoescape=True,
            undefined=StrictUndefined,  # a misspelt name fails instead of showing nothing
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"moment": moment, "pretty": pretty}

    def language(self, request: Request) -> str:
        """Choose the language of the reader."""
        return language_of(request, self.languages)

    def part(self, template: str, language: str, **shown: Any) -> str:
        """Render one template as HTML, which can be encoded whatever is shown."""
        words = self.words[language]
        return encodable(self._templates.get_template(template).render(language=language, words=words, **shown))

    def page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        tls: bool = False,
        forms: str = "'self'",
        keeps: Collection[str] = (),
        **shown: Any,
    ) -> Response:
        """Render a whole page. `forms` lists the addresses that its forms may lead to, redirections included; `tls`: browsers use TLS.
        `keeps` names the parameters of the address that the links to other languages carry on."""
        language = self.language(request)
        # No others: a page must not give back all that a caller wrote into the address, once for each language.
        kept = {name: request.query_params[name] for name in keeps if name in request.query_params}
        others = {each: urlencode({**kept, "lang": each}) for each in self.languages}
        body = self.part(template, language, languages=self.languages, links=others, **{"session": None, **shown})
        headers = {
            "Content-Language": language,
            "Vary": "Accept-Language, Cookie",  # a cache must not give one reader the language of another
            **HEADERS,
            **(TLS_HEADERS if tls else {}),
        }
        answer = HTMLResponse(body, status, {**headers, "Content-Security-Policy": POLICY.format(forms=forms)})
        if request.query_params.get("lang") in self.languages:
            answer.set_cookie(COOKIE, language, max_age=YEAR, path="/", secure=tls, httponly=True, samesite="lax")
        return answer
