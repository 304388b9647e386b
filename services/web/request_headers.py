"""Legal forms of the request headers that change what a request does.

Invariant: a header that is there and says nothing, or says two things, is refused; it is never taken for another value. Other headers,
`X-Request-ID` among them, are not read: ids of correlation are made here, since what a caller chose would outlive an erasure.
"""

import re
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response

from services.web.problem import problem

LONGEST_KEY = 200  # characters of an Idempotency-Key
KEY = rf"^[!-~]{{1,{LONGEST_KEY}}}$"  # visible ASCII
_TAG = r'(?:W/)?"[!#-~]*"'  # RFC 9110, section 8.8.3, without the obsolete bytes above 127
TAGS = rf"^(?:\*|{_TAG}(?:\s*,\s*{_TAG})*)$"


class _Form(NamedTuple):
    """The pattern of one header, and a sentence about it."""

    pattern: re.Pattern[str]
    about: str


_FORMS = {
    "idempotency-key": _Form(re.compile(KEY), f"An Idempotency-Key has 1 to {LONGEST_KEY} visible ASCII characters."),
    "if-match": _Form(re.compile(TAGS), 'If-Match holds an entity tag as it was answered, such as "3", or *.'),
    "content-type": _Form(re.compile(""), "A request has one Content-Type."),
}


def wrong_headers(headers: Headers) -> Response | None:
    """Give the answer to a header that has no legal form, or stands twice; None when all are right."""
    for name, form in _FORMS.items():
        given = headers.getlist(name)
        if len(given) > 1 or any(not form.pattern.search(each.strip()) for each in given):
            return problem(400, "malformed-header", form.about)
    return None
