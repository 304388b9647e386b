"""The record on the partners' page is one that the feed publishes and that the kit takes."""

import json
import re
from pathlib import Path

import pytest

from services.consumer import Sqlite
from services.contracts.feed import Referred, Seated
from services.web.readable import parse
from tests.consumer.conftest import ROOT, Book
from tests.consumer.stores import journal, journalling, take

SHOWN = re.findall(r"^```json\n(.*?)^```", (ROOT / "docs/partners.md").read_text(), re.MULTILINE | re.DOTALL)


def test_the_page_shows_a_record() -> None:
    assert len(SHOWN) == 1


@pytest.mark.parametrize("text", SHOWN)
async def test_the_kit_takes_the_record_that_the_page_shows_in_its_place(text: str, tmp_path: Path) -> None:
    shown, book = parse(text.encode()), Book()
    before = [book.value(Referred.type, f"p{each}") for each in range(int(shown["sequence"]) - 1)]
    store = Sqlite(tmp_path / "outcomes.db")
    assert await take(journalling(store), [*before, text.encode()]) is None
    assert (await journal(store))[-1][0] == int(shown["sequence"])


@pytest.mark.parametrize("text", SHOWN)
def test_the_feed_publishes_exactly_such_a_record(text: str) -> None:
    shown, book = parse(text.encode()), Book()
    for each in range(int(shown["sequence"]) - 1):
        book.value(Referred.type, f"p{each}")
    published = json.loads(book.value(Seated.type, shown["subject"]))
    assert list(shown) == list(published)
    assert shown | {"id": ""} == published | {"id": ""}
