"""Pages in the frame: header, navigation, language, and a page in place of every problem document."""

import re
from html import unescape
from urllib.parse import urljoin

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from services import web
from services.identity.auth import Role
from services.identity.route_access import access_of
from services.kernel import Refused
from services.web.frame import Frame
from services.web.frame.addresses import LANDING, NAVIGATION, SEGMENTS, is_page, landing_of, navigation_of, owner_of
from services.web.frame.static import asset
from services.web.frame.texts import Said
from tests.helpers.callers import client_as
from tests.web.framed import build, framed, pages_client


async def test_a_page_has_its_title_one_heading_the_navigation_of_the_role_and_the_way_out() -> None:
    html = (await pages_client().get("/persone")).text
    assert "<title>Persone - AMA Lavoro</title>" in html
    assert html.count("<h1") == 1
    assert '<a href="/persone" aria-current="page">Persone</a>' in html
    entries = [entry.address for entry in navigation_of(Role.OPERATOR)]
    shown = re.findall(r'<a href="(/\w+)"(?: aria-current="\w+")?>', html.split('class="site-nav"')[1])
    assert shown[: len(entries)] == entries
    assert 'action="/esci"' in html
    assert 'href="/ruolo"' in html
    for address in ("/accessibilita", "/privacy", "/cookie"):
        assert f'href="{address}"' in html
    assert '<a class="skip-link" href="#main">' in html


@pytest.mark.parametrize(
    "path",
    ["//elsewhere.example/x", "///elsewhere.example", "/%5Celsewhere.example", "/%2F%2Felsewhere.example/", "/a%0Ab"],
)
async def test_no_link_of_a_page_leads_to_another_site_whatever_address_it_was_asked_for(path: str) -> None:
    answer = await pages_client().get(f"http://site{path}", headers={"accept": "text/html"})
    links = [unescape(each) for each in re.findall(r'href="([^"]*)"', answer.text)]
    assert any("lang=" in each for each in links), "the page has links to other languages"
    site = "http://site"
    for each in links:
        led = urljoin(f"{site}/", re.sub(r"[\t\r\n]", "", each).replace("\\", "/"))  # as browsers read it
        assert led.startswith((f"{site}/", "https://form.agid.gov.it/", "mailto:")), each


async def test_a_public_page_offers_to_sign_in_and_shows_no_value_as_markup() -> None:
    html = (await pages_client().get("/questionario")).text
    assert 'href="/accedi"' in html
    assert "/esci" not in html
    assert '<p id="shown">&lt;b&gt;</p>' in html


async def test_a_page_runs_and_styles_nothing_of_its_own() -> None:
    answer = await pages_client().get("/persone")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<style|<script(?![^>]*src=)| style=| on\w+=", answer.text)


async def test_behind_a_proxy_with_tls_browsers_are_told_to_stay_with_it() -> None:
    client = pages_client()
    plain, behind = (
        await client.get("/persone"),
        await client.get("/persone?lang=en", headers={"x-forwarded-proto": "https"}),
    )
    assert "strict-transport-security" not in plain.headers
    assert "max-age=31536000" in behind.headers["strict-transport-security"]
    assert "; secure" in behind.headers["set-cookie"].lower()


async def test_the_links_to_the_languages_keep_the_address_and_the_choice_is_remembered() -> None:
    client = pages_client()
    html = (await client.get("/persone?shown=a%26b")).text
    assert 'href="/persone?shown=a%26b&amp;lang=en"' in html
    english = await client.get("/persone?shown=a&lang=en")
    assert '<html lang="en">' in english.text
    assert "<h1>People</h1>" in english.text
    assert (await client.get("/persone")).headers["content-language"] == "en"


async def test_whoever_has_not_signed_in_comes_to_the_sign_in_and_back() -> None:
    client = pages_client()
    del client.headers["authorization"]
    answer = await client.get("/persone?shown=x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/accedi?next=%2Fpersone%3Fshown%3Dx")


async def test_a_form_that_is_sent_after_the_access_has_ended_is_kept_and_can_be_sent_again() -> None:
    client = pages_client()
    token = client.headers.pop("authorization")
    written = {"name": "Ada <b>", "slots.mon": "yes", "step": "check", "once": "k" * 22}
    posted = await client.post("/persone/nuova", data=written)
    assert posted.status_code == 401
    assert "<h1>Per continuare occorre accedere</h1>" in posted.text
    kept = re.findall(r'<textarea name="([^"]+)" hidden>\n(.*?)</textarea>', posted.text, re.DOTALL)
    assert {name: unescape(value) for name, value in kept} == written
    again = await client.post("/persone/nuova", data=dict(kept), headers={"authorization": token})
    assert again.status_code == 303
    assert "hidden>" not in (await client.post("/persone/nuova", data={"name": "x" * 20_000})).text
    assert "hidden>" not in (await client.post("/persone/nuova", json={"name": "x"})).text


@pytest.mark.parametrize(
    ("kind", "status", "heading", "sentence"),
    [
        ("away", 503, "Il servizio ora non risponde", "non risponde"),
        ("defect", 500, "Qualcosa non ha funzionato", "è stato annotato"),
        ("full", 409, "Ora non si può fare", "The group has 15 people already."),
        ("silent", 409, "Ora non si può fare", "una regola del servizio"),
        ("missing", 404, "Pagina non trovata", "non c'è nessuna pagina"),
    ],
)
async def test_a_refusal_is_a_page_with_its_own_sentence(kind: str, status: int, heading: str, sentence: str) -> None:
    answer = await pages_client().get(f"/persone/rifiuta/{kind}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<h1>{heading}</h1>" in answer.text
    assert sentence in answer.text.replace("&#39;", "'")
    assert 'class="site-nav"' in answer.text
    assert not re.search("Lovelace|w1|w9|database", answer.text)
    assert answer.headers.get("retry-after") == ("7" if kind == "away" else None)


async def test_a_wrong_role_a_wrong_method_and_a_wrong_address_are_pages_too() -> None:
    wrong = await pages_client(Role.COORDINATOR).get("/persone")
    assert wrong.status_code == 403
    assert '<a class="btn btn-primary" href="/andamento">' in wrong.text
    method = await pages_client().delete("/persone")
    assert (method.status_code, method.headers["allow"]) == (405, "GET")
    assert "<h1>" in method.text
    assert "<h1>Pagina non trovata</h1>" in (await pages_client().get("/persone/xyz/abc")).text
    assert "<h1>Pagina non trovata</h1>" in (await pages_client().get("/nowhere", headers={"accept": "text/html"})).text


async def test_programs_at_other_addresses_get_problem_documents_as_before() -> None:
    answer = await pages_client().get("/workers")
    assert answer.json()["code"] == "group-full"
    assert (await pages_client().get("/nowhere")).json()["code"] == "not-found"


async def test_head_is_answered_like_get_without_the_body() -> None:
    client = pages_client()
    get, head = await client.get("/persone"), await client.head("/persone")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert (await client.head("/persone/rifiuta/full")).status_code == 409


def test_pages_are_operations_that_answer_with_html_and_say_who_may_call_them() -> None:
    app = build()
    operation = app.openapi()["paths"]["/persone"]["get"]
    assert operation["tags"] == ["pages"]
    assert operation["x-roles"] == ["operator"]
    assert (
        set(operation["responses"]["403"]["content"]) == set(operation["responses"]["200"]["content"]) == {"text/html"}
    )
    assert {each.path for each in access_of(app)} >= {"/persone", "/questionario"}


def test_a_sentence_that_needs_what_the_refusal_does_not_say_shows_the_general_one() -> None:
    frame = Frame(refusals={"x": "There are %(n)d."})
    assert frame.said("en", Said("General.", code="x", values={"n": 3})) == "There are 3."
    assert frame.said("en", Said("General.", code="x")) == "General."
    assert frame.said("en", Said("General.", code=Refused("y", "").code)) == "General."


def test_every_role_lands_on_a_page_of_its_own_navigation_and_every_entry_belongs_to_somebody() -> None:
    for role in Role:
        assert landing_of(role) == LANDING.get(role, "/")
        if role in LANDING:
            assert landing_of(role) in {entry.address for entry in navigation_of(role)}
    for entry in NAVIGATION:
        assert owner_of(entry.address) is not None
        assert is_page(entry.address)


def test_an_address_belongs_to_the_service_of_its_first_segment() -> None:
    assert owner_of("/") == owner_of("/accedi") == owner_of("/console/dead/x") == "front"
    assert owner_of("/persone/1/dati") == owner_of("/enrolment/workers") == "enrolment"
    assert owner_of("/gruppi") == "grouping"
    assert owner_of("/gruppo/1") == "sessions"
    assert owner_of("/nowhere") is None
    assert not any(is_page(each) for each in ("/enrolment/workers", "/static/x", "/issuer/token", "/nowhere"))
    assert all(
        owner in {"front", "enrolment", "grouping", "sessions", "notifications", "analytics"}
        for owner in SEGMENTS.values()
    )


def test_a_static_file_has_an_address_that_changes_with_the_files() -> None:
    assert re.fullmatch(r"/static/[0-9a-f]{12}/site\.css", asset("site.css"))


async def test_a_page_that_shows_a_name_of_the_frames_own_fails_and_any_other_name_is_the_pages() -> None:
    request = Request(
        {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": [], "server": ("a", 80)}
    )
    frame = framed({"t.html": "{{ person }}"})
    assert frame.body(request, "t.html", person="Ada") == "Ada"
    with pytest.raises(ValueError, match="address"):
        frame.body(request, "t.html", person="Ada", address="/y")


async def test_the_innermost_application_makes_the_page_since_it_knows_the_caller() -> None:
    inside = build()

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        """Give the request a token, as the door of the site does."""
        headers = [*scope["headers"], (b"authorization", b"Bearer accepted")]
        await inside({**scope, "headers": headers}, receive, send)

    site = Starlette(routes=[Mount("/", door)])
    web.install_outside(site)
    client_as(inside, Role.OPERATOR, "jobs2")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://site") as browser:
        full, head = await browser.get("/persone/rifiuta/full"), await browser.head("/persone")
    assert full.status_code == 409
    assert "The group has 15 people already." in full.text
    assert 'class="site-nav"' in full.text
    assert (head.status_code, head.content) == (200, b"")
