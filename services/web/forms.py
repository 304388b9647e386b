"""Forms of pages. Invariant: no part of a form is held in memory before its size is known to be small."""

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

LARGEST = 16 * 1024  # bytes


async def form_of(request: Request) -> FormData:
    """Read a form. HTTPException(413) when it is larger than LARGEST, or has no valid Content-Length."""
    # A form in chunks has no Content-Length, so its size would be known only after it was parsed.
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal() and len(length) < 10 and int(length) <= LARGEST):
        raise HTTPException(413, "A form is small, and says how large it is.")
    return await request.form()


def typed(form: FormData, name: str) -> str:
    """Give what was typed into a field, as text that can be encoded again; empty when there is none."""
    # A client names the charset of a form in parts, and some charsets yield halves of surrogate pairs.
    return str(form.get(name, "")).encode(errors="replace").decode()
