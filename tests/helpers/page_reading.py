"""Parts of a page as a person finds them: its heading, its forms as a browser would send them, its text."""

import re
from html import unescape
from html.parser import HTMLParser

import httpx


class _Read(HTMLParser):
    """Reads the fields of each form, and the visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.choices: dict[str, list[str]] = {}
        self.text: list[str] = []
        self._area: str | None = None  # the text area that is read
        self._list: str | None = None  # the list of answers that is read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.forms.append({})
        elif tag in {"textarea", "select"} and name:
            self._area, self._list = (name, None) if tag == "textarea" else (None, name)
            self.forms[-1][name] = ""
        elif tag == "option" and "selected" in given and self._list:
            self.forms[-1][self._list] = value
        elif tag == "input" and name:
            self._input(name, value, given)

    def _input(self, name: str, value: str, given: dict[str, str | None]) -> None:
        if given.get("type") == "radio":
            self.choices.setdefault(name, []).append(value)
        if given.get("type") not in {"radio", "checkbox"} or "checked" in given:
            self.forms[-1][name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag in {"textarea", "select"}:
            self._area = self._list = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.forms[-1][self._area] += data.strip()
        self.text.append(data)


def forms_in(answer: httpx.Response) -> list[dict[str, str]]:
    """The fields of each form of the page as they are filled in, in the order of the page; signing out is the first one."""
    return _read(answer).forms


def form_in(answer: httpx.Response) -> dict[str, str]:
    """The fields of the last form, which is the page's own."""
    return forms_in(answer)[-1]


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


def _read(answer: httpx.Response) -> _Read:
    read = _Read()
    read.feed(answer.text)
    return read
