"""Forms of pages. Invariants: no part of a form is held in memory before its size is known to be small; no field has two values; every
value is UTF-8."""

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from services.web.readable import shown, twice
from services.web.request_headers import CHARSET, strange_charset

LARGEST = 16 * 1024  # bytes
URLENCODED = "application/x-www-form-urlencoded"


async def form_of(request: Request, largest: int = LARGEST) -> FormData:
    """Read a form. HTTPException: 413 when it is larger than `largest` bytes, or has no valid Content-Length; 400 when it names another
    charset than UTF-8, or a field stands twice."""
    # A form in chunks has no Content-Length, so its size would be known only after it was parsed.
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal() and len(length) < 10 and int(length) <= largest):
        raise HTTPException(413, "A form is small, and says how large it is.")
    if strange_charset(request.headers.get("content-type", "")):
        raise HTTPException(400, CHARSET)
    # Kept by the request, so that the command that follows can tell by the body whether it is a repeat.
    await request.body()
    form = await request.form()
    if (name := twice(field for field, _ in form.multi_items())) is not None:
        raise HTTPException(400, f"{shown(name)} stands twice in the form.")
    return form


def typed(form: FormData, name: str) -> str:
    """Give what was typed into a field; empty when there is none."""
    return str(form.get(name, ""))
