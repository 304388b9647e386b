"""Parts of every page: security headers, the reader's language, times and records as text.

Invariant: a page runs and styles nothing but what its own site serves, and the headers tell the browser so.
"""

import json
from collections.abc import Collection
from datetime import UTC, datetime

from markupsafe import Markup
from starlette.requests import Request

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
    # For browsers that do not know `frame-ancestors` of the policy.
    "X-Frame-Options": "DENY",
}
TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}


def moment(value: str | datetime | None) -> Markup | str:
    """Format a time in UTC as a `time` element, readable for people and programs."""
    if value is None:
        return "-"
    at = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def pretty(record: str | None) -> str:
    """Format a record for reading: indented when it is JSON, else unchanged. Half a surrogate pair is shown as its escape."""
    try:
        return encodable(json.dumps(json.loads(record or ""), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        # A dead letter may be no JSON at all, and an operator has to see it all the same.
        return encodable(record or "")


def encodable(text: str) -> str:
    """Replace half of a surrogate pair by its escape: no page could be sent with it."""
    return text.encode(errors="backslashreplace").decode()


def language_of(request: Request, languages: Collection[str]) -> str:
    """Choose the language: the one of the address or the cookie, else the browser's first that is offered, else the first offered."""
    chosen = request.query_params.get("lang") or request.cookies.get(COOKIE)
    if chosen in languages:
        return str(chosen)
    wanted: list[tuple[float, str]] = []
    for each in request.headers.get("accept-language", "")[:500].split(","):  # the caller chooses its length
        name, _, weight = each.partition(";q=")
        try:
            wanted.append((float(weight or 1), name.strip().lower().partition("-")[0]))
        except ValueError:
            # The caller writes the header: a weight that is no number drops one language, not the page.
            continue
    by_weight = sorted(wanted, key=lambda pair: -pair[0])
    return next((name for weight, name in by_weight if weight > 0 and name in languages), next(iter(languages)))
