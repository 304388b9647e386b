"""Legal forms of the request headers that change what a request does.

Invariant: a header that is there and says nothing, or says two things, is refused; it is never taken for another value. Other headers,
`X-Request-ID` among them, are not read: ids of correlation are made here, since what a caller chose would outlive an erasure.
"""

import re
from typing import NamedTuple

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.responses import Response

from services.web.problem import problem

LONGEST_KEY = 200  # characters of an Idempotency-Key
KEY = rf"^[!-~]{{1,{LONGEST_KEY}}}$"  # visible ASCII
_TAG = r'(?:W/)?"[!#-~]*"'  # RFC 9110, section 8.8.3, without the obsolete bytes above 127
TAGS = rf"^(?:\*|{_TAG}(?:\s*,\s*{_TAG})*)$"

FORMS = (b"multipart/form-data", b"application/x-www-form-urlencoded")
UTF_8 = (b"utf-8", b"utf8")


class _Form(NamedTuple):
    """The pattern of one header, and a sentence about it."""

    pattern: re.Pattern[str]
    about: str


_FORMS = {
    "idempotency-key": _Form(re.compile(KEY), f"An Idempotency-Key has 1 to {LONGEST_KEY} visible ASCII characters."),
    "if-match": _Form(re.compile(TAGS), 'If-Match holds an entity tag as it was answered, such as "3", or *.'),
    "content-type": _Form(re.compile(""), "A request has one Content-Type."),
}
CHARSET = "A form is UTF-8, and names no other charset."


def wrong_headers(headers: Headers) -> Response | None:
    """Give the answer to a header that has no legal form, or stands twice; None when all are right."""
    for name, form in _FORMS.items():
        given = headers.getlist(name)
        if len(given) > 1 or any(not form.pattern.search(each.strip()) for each in given):
            return problem(400, "malformed-header", form.about)
    if strange_charset(headers.get("content-type", "")):
        return problem(400, "malformed-header", CHARSET)
    return None


def strange_charset(content_type: str) -> bool:
    """Tell if a form says that it is in another charset than UTF-8. Python would take any of its codecs: some fail, some take seconds,
    and some give characters that no answer can hold."""
    # The parser of Starlette's forms, so that both see the same parameter.
    kind, parameters = parse_options_header(content_type)
    return kind in FORMS and parameters.get(b"charset", b"utf-8").lower() not in UTF_8
