"""`python ops/texts.py`: brings the gettext catalogues in line with the texts of pages; `--check` only says what differs.

Texts are what `_`, `ngettext` and `N_` mark in Python and in templates. Invariant: no translation is guessed, and none of a text that is
still there is lost; a text that is gone leaves the catalogues.
"""

import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from services.contracts.topics import SERVICES

ROOT = Path(__file__).parents[1]
LANGUAGES = ("it", "en")
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
# Unicode gives Italian a third form, for millions: nobody here counts so far, and translators expect two.
HEADER = b'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
# Lines of a header that change by themselves, or say nothing.
IDLE = re.compile(rb'"(Project-Id|Report-Msgid|POT-Creation|PO-Revision|Last-Trans|Language-Team|Generated-By)[^\n]*\n')


class Home(NamedTuple):
    """A folder whose texts are in one set of catalogues, and where these are."""

    sources: Path
    locale: Path

    def catalogue(self, language: str) -> Path:
        """Return the file of one language."""
        return self.locale / language / "LC_MESSAGES" / "messages.po"


def homes(root: Path = ROOT) -> list[Home]:
    """List the folders with catalogues of their own: each room, and the parts of the chassis that have pages."""
    rooms = [Home(root / name, root / name / "locale") for name in SERVICES]
    chassis = root / "services"
    console = chassis / "operations" / "console"
    parts = [Home(each, each / "locale") for each in (chassis / "front", console) if each.is_dir()]
    return [*rooms, *parts, Home(chassis / "web", chassis / "web" / "frame" / "locale")]


def extracted(home: Home) -> Catalog:
    """Extract the texts of a folder."""
    found = Catalog(project="AMA Lavoro")
    options = {"**.html": {"trimmed": "true", "silent": "false"}, "**.txt": {"silent": "false"}}
    texts = extract_from_dir(home.sources, METHODS, options, KEYWORDS, comment_tags=("Translators:",))
    for file, _, text, comments, context in sorted(texts, key=lambda each: (each[0], each[1])):
        # Without the line, which changes with every line above it.
        found.add(text, None, [(f"{home.sources.name}/{file}", 0)], auto_comments=comments, context=context)
    return found


def updated(home: Home, language: str, texts: Catalog) -> bytes:
    """Return the catalogue of a language with these texts and the translations that it has."""
    path = home.catalogue(language)
    found = read_po(BytesIO(path.read_bytes() if path.exists() else HEADER), locale=language)
    found.update(texts, no_fuzzy_matching=True)
    found.obsolete.clear()
    found.header_comment = f"# Texts of AMA Lavoro's pages: {language}."
    found.fuzzy = False
    written = BytesIO()
    write_po(written, found, width=140, include_lineno=False, sort_output=False, ignore_obsolete=True)
    return IDLE.sub(b"", written.getvalue())


def faults(home: Home) -> Iterator[str]:
    """Name each catalogue that is out of date, and each Italian text that is missing, fuzzy, or lost a place for a value."""
    texts = extracted(home)
    if not len(texts):
        return
    for language in LANGUAGES:
        path = home.catalogue(language)
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        if not path.exists() or path.read_bytes() != updated(home, language, texts):
            yield f"{shown} is out of date: run make texts"
        if path.exists():
            with path.open("rb") as file:
                yield from (
                    f"{shown}: {fault}" for each in read_po(file, locale=language) for fault in _wrong(each, language)
                )


def _wrong(message: Message, language: str) -> Iterator[str]:
    if not message.id:
        return  # the header
    strings = [message.string] if isinstance(message.string, str) else list(message.string or [""])
    if message.fuzzy:
        yield f"fuzzy: {message.id!r}"
    if language == "it" and not all(strings):
        yield f"not translated: {message.id!r}"
    if any(strings) and (wrong := list(message.check())):
        yield f"{wrong[0]}: {message.id!r}"


def main(*, check: bool) -> int:
    """Write the catalogues, or with `check` only say what is wrong. Returns the exit code."""
    found = [fault for home in homes() for fault in faults(home)] if check else []
    if not check:
        for home in homes():
            texts = extracted(home)
            for language in LANGUAGES if len(texts) else ():
                content = updated(home, language, texts)
                home.catalogue(language).parent.mkdir(parents=True, exist_ok=True)
                home.catalogue(language).write_bytes(content)
    for each in found:
        print(each)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
