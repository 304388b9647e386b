"""A page's form, read only when it is small: nothing that a stranger sends is held before its size is known."""

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

LARGEST = 16 * 1024  # bytes


async def form_of(request: Request) -> FormData:
    """What was filled in. HTTPException(413) when it is larger than any of our forms, or does not say how large it is."""
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal() and len(length) < 10 and int(length) <= LARGEST):
        raise HTTPException(413, "A form is small, and says how large it is.")
    return await request.form()
