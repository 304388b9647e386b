"""Texts of pages: marked in the source, read from gettext catalogues, shown in the reader's language.

Invariant: the English text is its own key, so a text that no catalogue has is shown in English and never as a code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES = {"it": "Italiano", "en": "English"}  # the first one is the one of whoever asks for no other
LOCALES = {"it": "it_IT", "en": "en_GB"}  # by which Babel writes dates and numbers


def N_(text: str) -> str:  # noqa: N802  # the name that every gettext tool extracts
    """Mark a text for extraction, and return it unchanged. It is translated where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that is translated where it is shown. `label`, the name of a field, is translated too; `code`: of a refusal, whose own
    sentence goes first."""

    text: str
    label: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    code: str | None = None


@cache
def translations_of(language: str, folders: tuple[Path, ...]) -> NullTranslations:
    """Read the catalogues of these `locale` folders; the first one that has a text gives it."""
    first: NullTranslations | None = None
    for folder in folders:
        found = _read(folder / language / "LC_MESSAGES" / "messages.po", language)
        if first is None:
            first = found
        else:
            first.add_fallback(found)
    return first or NullTranslations()


def _read(path: Path, language: str) -> NullTranslations:
    if not path.exists():  # a room whose pages have no text of their own
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    # A text without a translation must fall through to the next catalogue, and a fuzzy one is a guess.
    untranslated = [each.id for each in catalogue if each.id and (each.fuzzy or not _whole(each.string))]
    for id in untranslated:
        catalogue.delete(id)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def _whole(translated: str | Iterable[str] | None) -> bool:
    return bool(translated) if translated is None or isinstance(translated, str) else all(translated)
