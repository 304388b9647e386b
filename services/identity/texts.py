"""Texts of strangers, such as the claims of a token: what is accepted as one.

Invariant: every text that is accepted can be stored by each engine, written to a log, and shown on a page as it was meant: it has neither
half of a surrogate pair, nor a control character, nor one that is invisible or changes the direction of writing.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter

from services.kernel import shown_as_meant


def _fit(text: str) -> str:
    shown_as_meant(text)
    return text  # and not its composed form: the issuer knows its subjects by these very characters


# pydantic refuses half a surrogate pair by itself; the check names it all the same, so that this does not depend on pydantic.
Text = Annotated[str, Field(strict=True, min_length=1, max_length=200), AfterValidator(_fit)]
_text: TypeAdapter[str] = TypeAdapter(Text)


def text_of(value: object) -> str:
    """Validate one text of a stranger. ValueError when it is empty, long, no text, or cannot be stored."""
    return _text.validate_python(value)
