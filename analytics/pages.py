"""The page of figures: how the programme stands beside its targets and its plan in time, as a page and as a CSV file.

Invariant: a coordinator sees only figures that have no person behind them; true counts of people are for operators and administrators.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from analytics.api import facts_of
from analytics.followed import Followed, Redress, followed, redress
from analytics.indicators import Indicators, indicators
from analytics.kept import Kept
from analytics.process import Process, process
from analytics.sheet import SECTIONS, Entry, of_complaints, of_paths, of_people, of_process, written
from services.identity.auth import Role, Who, allowed
from services.web.frame import Frame, page_router
from services.web.frame.dates import month
from services.web.frame.texts import LANGUAGES
from services.web.pages import language_of
from services.web.run import Reader, Reading

FRAME = Frame("analytics")
COUNTS = (Role.OPERATOR, Role.ADMINISTRATOR)  # who sees true counts of people
PAGE = 20  # groups on a page
Viewer = Annotated[Who, allowed(Role.COORDINATOR, *COUNTS)]


class Told(NamedTuple):
    """A line of a table in the reader's language."""

    text: str
    number: float | None
    target: int | None
    expected: int | None


class Figures:
    """The figures of each programme, read anew only when they are old, so that a page costs the same in a large programme."""

    def __init__(self) -> None:
        self._progress, self._counts = Kept[tuple[Process, Redress]](), Kept[tuple[Indicators, Followed]]()

    async def of(self, read: Reading, who: Who) -> "Shown":
        """Return the figures that the caller may see, and the moment of the oldest of them."""

        async def progress(at: datetime) -> tuple[Process, Redress]:
            figures = process(await read.rows("meetings"), await read.rows("places"), read.rules, at)
            return figures, redress(await read.rows("complaints"), read.rules.day_of(at))

        async def counts(_: datetime) -> tuple[Indicators, Followed]:
            facts = await facts_of(read)
            return indicators(facts, read.rules), followed(await read.rows("paths"), facts.consenting)

        found = await self._progress.of(read.programme, progress)
        if who.role not in COUNTS:
            return Shown(*found.value, None, None, found.at)
        people = await self._counts.of(read.programme, counts)
        return Shown(*found.value, *people.value, min(found.at, people.at))


class Shown(NamedTuple):
    """The figures that a caller may see. `people` and `paths` count people: None for a coordinator."""

    process: Process
    complaints: Redress
    people: Indicators | None
    paths: Followed | None
    at: datetime


def router() -> APIRouter:
    """Return the pages, which keep their figures for a short while."""
    made, figures = page_router(FRAME), Figures()

    @made.get("/andamento")
    async def progress(
        request: Request, read: Reader, who: Viewer, pagina: Annotated[int, Query(ge=1, le=10_000)] = 1
    ) -> Response:
        """Show how the programme stands. `pagina`: of the list of groups."""
        found = await figures.of(read, who)
        tables = _tables(_entries(found, read), _translator(request))
        first, groups = (pagina - 1) * PAGE, found.process.lines
        shown: dict[str, Any] = {**found._asdict(), "tables": tables}
        lines = groups[first : first + PAGE]
        pages = max(1, -(-len(groups) // PAGE))
        return FRAME.page(
            request, "figures.html", who=who, rules=read.rules, lines=lines, page=pagina, pages=pages, **shown
        )

    @made.get("/andamento.csv")
    async def data(request: Request, read: Reader, who: Viewer) -> Response:
        """Give the same lines as a CSV file: UTF-8 with a mark of byte order, semicolons, decimal commas."""
        found = await figures.of(read, who)
        day = read.rules.day_of(found.at)
        text = written(_entries(found, read), _translator(request))
        headers = {
            "Content-Disposition": f'attachment; filename="andamento-{read.programme}-{day}.csv"',
            "Cache-Control": "no-store",
        }
        # The mark tells a spreadsheet that the file is UTF-8.
        return Response(f"\ufeff{text}".encode(), media_type="text/csv; charset=utf-8", headers=headers)

    return made


def _entries(found: Shown, read: Reading) -> list[Entry]:
    people = of_people(found.people, read.rules) if found.people is not None else []
    paths = of_paths(found.paths) if found.paths is not None else []
    return [*of_process(found.process), *of_complaints(found.complaints), *people, *paths]


def _translator(request: Request) -> Any:
    """Return the function that translates a marked text, with months written in words."""
    language = language_of(request, LANGUAGES)

    def translate(text: str, **values: Any) -> str:
        written = {name: month(value, language) if isinstance(value, date) else value for name, value in values.items()}
        return FRAME.text(language, text, **written)

    return translate


def _tables(entries: Iterable[Entry], translate: Any) -> dict[str, list[Told]]:
    tables: dict[str, list[Told]] = {section: [] for section in SECTIONS}
    for each in entries:
        tables[each.section].append(Told(translate(each.text, **each.values), each.number, each.target, each.expected))
    return tables
