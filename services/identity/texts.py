"""Texts of strangers, such as the claims of a token: what is accepted as one.

Invariant: every text that is accepted can be stored by each engine, written to a log and shown on a page: it has neither half of a
surrogate pair nor a control character.
"""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter

UNFIT = {"Cc", "Cs"}  # categories of Unicode: control characters, and halves of surrogate pairs


def _fit(text: str) -> str:
    if any(unicodedata.category(character) in UNFIT for character in text):
        raise ValueError("holds a character that cannot be stored")
    return text


# pydantic refuses half a surrogate pair by itself; the check names it all the same, so that this does not depend on pydantic.
Text = Annotated[str, Field(strict=True, min_length=1, max_length=200), AfterValidator(_fit)]
_text: TypeAdapter[str] = TypeAdapter(Text)


def text_of(value: object) -> str:
    """Validate one text of a stranger. ValueError when it is empty, long, no text, or cannot be stored."""
    return _text.validate_python(value)
