"""The statements of a public site: accessibility by AgID's model, privacy by programme and version, cookies."""

import json
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner

from services import web
from services.cli import app as cli
from services.front.cookies import BEGUN, WEB_SESSION
from services.programmes import Programme, load_all
from services.settings import Misconfigured
from services.web.frame import statements
from services.web.pages import COOKIE
from tests.web.outline import Outline

PROGRAMMES = load_all(None)
ONE = {"monza-brianza": PROGRAMMES["monza-brianza"]}
SIGNED = """
publisher = "Provincia di Monza e della Brianza"
conformance = "partial"
written = 2026-11-20
reviewed = 2026-11-30
published = 2026-12-01
[not_accessible]
it = ["La lavagna delle proposte con <b> la tastiera"]
"""


def client(
    programmes: dict[str, Programme] = ONE,
    contact: str | None = None,
    statement: Path | None = None,
    folder: Path | None = None,
) -> httpx.AsyncClient:
    settings = SimpleNamespace(contact=contact, accessibility=statement, programmes=folder)
    site = Starlette(routes=statements.routes(settings, programmes))
    web.install_outside(site)
    return httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://site")


def written(tmp_path: Path, text: str = SIGNED) -> Path:
    file = tmp_path / "accessibility.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("path", ["/accessibilita", "/cookie", "/privacy", "/privacy/monza-brianza"])
@pytest.mark.parametrize("language", ["it", "en"])
async def test_each_statement_is_a_whole_page_in_both_languages(path: str, language: str) -> None:
    answer = await client(PROGRAMMES).get(f"{path}?lang={language}")
    assert answer.status_code == 200
    assert Outline(answer.text).open == []
    assert answer.text.count("<h1") == 1
    assert f'<html lang="{language}">' in answer.text


async def test_every_cookie_that_the_site_sets_is_named() -> None:
    html = (await client().get("/cookie")).text
    assert {each for each in (WEB_SESSION, BEGUN, COOKIE) if f">{each}<" not in html} == set()


async def test_a_site_without_a_signed_statement_claims_nothing_and_says_whom_to_tell() -> None:
    html = (await client(contact="accesso@example.org").get("/accessibilita")).text
    assert "non ha ancora pubblicato la sua dichiarazione" in html
    assert "conforme ai requisiti" not in html
    assert 'href="mailto:accesso@example.org"' in html
    assert "lo si può dire all&#39;ente" in (await client().get("/accessibilita")).text


async def test_a_signed_statement_is_shown_with_what_is_not_accessible(tmp_path: Path) -> None:
    site = client(contact="accesso@example.org", statement=written(tmp_path))
    html = (await site.get("/accessibilita")).text
    for text in (
        "Provincia di Monza e della Brianza si impegna",
        "parzialmente conforme",
        "20 novembre 2026",
        "Difensore civico",
    ):
        assert text in html
    assert "<li>La lavagna delle proposte con &lt;b&gt; la tastiera</li>" in html
    assert '<ul lang="it">' in (await site.get("/accessibilita?lang=en")).text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("publisher = ", "is not TOML"),
        (SIGNED.replace("partial", "mostly"), "conformance"),
        (SIGNED.replace("written = 2026-11-20", ""), "written"),
        (SIGNED + "\n[more]\n", "more"),
    ],
)
def test_a_wrong_statement_stops_the_start_with_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        client(statement=written(tmp_path, text))


async def test_with_one_programme_its_notice_is_shown_at_once_and_with_several_they_are_listed() -> None:
    answer = await client().get("/privacy")
    assert (answer.status_code, answer.headers["location"]) == (303, "/privacy/monza-brianza")
    listed = (await client(PROGRAMMES).get("/privacy")).text
    assert all(f'href="/privacy/{each}"' in listed for each in PROGRAMMES)
    assert "Qui non c&#39;è nessun programma" in (await client({}).get("/privacy")).text


async def test_a_notice_names_its_version_and_earlier_ones_stay_at_their_address() -> None:
    now = ONE["monza-brianza"]
    older = now.notice.model_copy(update={"version": "2026-01"})
    site = client({"monza-brianza": now.model_copy(update={"notices": (older,)})})
    html = (await site.get("/privacy/monza-brianza")).text
    assert f"Versione {now.notice.version}." in html
    assert 'href="/privacy/monza-brianza/2026-01"' in html
    assert "Questa è una versione precedente" in (await site.get("/privacy/monza-brianza/2026-01")).text
    for address in ("/privacy/monza-brianza/2025-01", "/privacy/nowhere", "/privacy/monza-brianza/..%2f..%2fx"):
        answer = await site.get(address)
        assert answer.status_code == 404
        assert "<h1>Pagina non trovata</h1>" in answer.text


async def test_the_wording_that_people_were_given_goes_before_ours_in_whatever_language_it_is(tmp_path: Path) -> None:
    (tmp_path / "notices").mkdir()
    version = ONE["monza-brianza"].notice.version
    (tmp_path / "notices" / f"monza-brianza-{version}.it.txt").write_text(
        "Titolare:\nAFOL <MB>\n\nSecondo paragrafo.\n"
    )
    site = client(folder=tmp_path)
    html = (await site.get("/privacy/monza-brianza")).text
    assert "AFOL &lt;MB&gt;</p>" in html
    assert html.count('class="as-written"') == 2
    assert "Chi ne risponde" not in html
    assert '<div lang="it">' in (await site.get("/privacy/monza-brianza?lang=en")).text


def drafted(folder: Path, *more: str) -> Any:
    return CliRunner().invoke(
        cli, ["accessibility", "statement", "--publisher", 'Ente "A"', "--from", str(folder), *more]
    )


async def test_a_draft_is_made_from_what_axe_found_and_is_a_statement_that_can_be_signed(tmp_path: Path) -> None:
    found = {"id": "color-contrast", "help": "Elements must meet contrast"}
    (tmp_path / "a.json").write_text(json.dumps({"title": "Persone - AMA Lavoro", "violations": [found]}))
    (tmp_path / "b.json").write_text(json.dumps({"title": "Oggi - AMA Lavoro", "violations": []}))
    result = drafted(tmp_path, "--contact", "accesso@example.org")
    assert result.exit_code == 0
    draft = tomllib.loads(result.output)
    assert draft["not_accessible"]["it"] == ["Elements must meet contrast (color-contrast): Persone - AMA Lavoro"]
    assert (draft["publisher"], draft["conformance"]) == ('Ente "A"', "partial")
    assert statements.statement_of(written(tmp_path, result.output)).contact == "accesso@example.org"


def test_without_results_there_is_no_draft(tmp_path: Path) -> None:
    result = drafted(tmp_path)
    assert result.exit_code == 1
    assert "run make test first" in result.output
