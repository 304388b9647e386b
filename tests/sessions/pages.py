"""What a person finds on a page: its heading, its form as a browser would send it, its text."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx


class _Read(HTMLParser):
    """Reads the fields of the last form, and the visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.choices: dict[str, list[str]] = {}
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag != "input" or not name:
            return
        if given.get("type") == "radio":
            self.choices.setdefault(name, []).append(str(given["value"]))
            if "checked" in given:
                self.fields[name] = str(given["value"])
        else:
            self.fields[name] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def form_in(answer: httpx.Response) -> dict[str, str]:
    """The fields of the page's form as they are filled in."""
    return _read(answer).fields


def choices_in(answer: httpx.Response) -> dict[str, list[str]]:
    """The answers to choose from, by question."""
    return _read(answer).choices


def text_of(answer: httpx.Response) -> str:
    """The words of the page, with single blanks."""
    return re.sub(r"\s+", " ", unescape(" ".join(_read(answer).text)))


def heading_of(answer: httpx.Response) -> str:
    """The only heading of the first level."""
    (found,) = re.findall(r"(?s)<h1[^>]*>(.*?)</h1>", answer.text)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", found))).strip()


def _read(answer: httpx.Response) -> Any:
    read = _Read()
    read.feed(answer.text)
    return read
