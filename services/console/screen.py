"""Pages, made of templates and words in the reader's language.

Invariants: whatever is shown is escaped; a page runs and styles nothing but what this folder serves, and says so to the browser.
"""

import json
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.console.wording import LANGUAGES, WORDS

STATIC = Path(__file__).parent / "static"
COOKIE = "ama-language"
YEAR = 365 * 24 * 3600  # seconds
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self' data:; img-src 'self' data:; connect-src 'self'; "
    "form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}
TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}


@lru_cache(maxsize=1)
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("services.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": moment, "pretty": pretty}
    return made


def moment(value: str | datetime | None) -> Markup | str:
    """A time as the page shows it, in UTC, for a person and for a program."""
    if value is None:
        return "-"
    at = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def pretty(record: str | None) -> str:
    """A record to read, laid out when it is JSON."""
    try:
        return json.dumps(json.loads(record or ""), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return record or ""


def language_of(request: Request) -> str:
    """That which was chosen here, now or before; else the first of the browser's that there is; else the first there is."""
    chosen = request.query_params.get("lang") or request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    wanted: list[tuple[float, str]] = []
    for each in request.headers.get("accept-language", "")[:500].split(","):
        name, _, weight = each.partition(";q=")
        try:
            wanted.append((float(weight or 1), name.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    by_weight = sorted(wanted, key=lambda pair: -pair[0])
    return next((name for weight, name in by_weight if weight > 0 and name in LANGUAGES), next(iter(LANGUAGES)))


def part(template: str, language: str, **shown: Any) -> str:
    """A part of a page."""
    return _templates().get_template(template).render(language=language, words=WORDS[language], **shown)


def page(
    request: Request, template: str, status: int = 200, tls: bool = False, forms: str = "'self'", **shown: Any
) -> Response:
    """A whole page. `forms` is where its forms may lead, redirections included; `tls` when browsers come through it."""
    language = language_of(request)
    others = {each: str(request.url.include_query_params(lang=each).query) for each in LANGUAGES}
    body = part(template, language, languages=LANGUAGES, links=others, **{"session": None, **shown})
    headers = {
        "Content-Language": language,
        "Vary": "Accept-Language, Cookie",
        **HEADERS,
        **(TLS_HEADERS if tls else {}),
    }
    answer = HTMLResponse(body, status, {**headers, "Content-Security-Policy": POLICY.format(forms=forms)})
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(COOKIE, language, max_age=YEAR, path="/", secure=tls, httponly=True, samesite="lax")
    return answer
