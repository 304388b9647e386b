"""`python -m bench.bare_page FOLDER PORT`: the floor of `bench.pages`, pages of the same bytes by FastAPI and Jinja alone.

Invariant: each text of a page is a value that Jinja escapes, as in the pages that it stands for. Only what would not come back as it was
is part of the template.
"""

import html
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from jinja2 import Template as Compiled
from markupsafe import escape

TEXT = re.compile(r"(?<=>)[^<>]+(?=<)")


class Template(NamedTuple):
    """A template, and the values of its texts."""

    source: str
    texts: list[str]


def template_of(page: str) -> Template:
    """Return the template that gives this page."""
    texts: list[str] = []

    def value(found: re.Match[str]) -> str:
        text = html.unescape(found[0])
        if not text.strip() or str(escape(text)) != found[0]:
            return _verbatim(found[0])
        texts.append(text)
        return f"{{{{ texts[{len(texts) - 1}] }}}}"

    return Template(TEXT.sub(value, page), texts)


def _verbatim(text: str) -> str:
    return "{% raw %}" + text + "{% endraw %}" if "{" in text else text


def application(folder: Path) -> FastAPI:
    """Return an application with a page for each file, under its name."""
    made, templates = FastAPI(), Environment(autoescape=True, keep_trailing_newline=True)
    for file in sorted(folder.glob("*.html")):
        source, texts = template_of(file.read_bytes().decode())
        made.add_api_route(f"/{file.stem}", _page_of(templates.from_string(source), texts), response_class=HTMLResponse)
    return made


def _page_of(template: Compiled, texts: list[str]) -> Callable[[], Awaitable[HTMLResponse]]:
    async def page() -> HTMLResponse:
        return HTMLResponse(template.render(texts=texts))

    return page


if __name__ == "__main__":
    uvicorn.run(application(Path(sys.argv[1])), port=int(sys.argv[2]), log_level="error")
