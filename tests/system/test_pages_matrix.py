"""Each page against each role, programme and owner, and the navigation of each role against the pages.

The pages are those of the OpenAPI documents of the five services, so that a new page is tried without a change here. A page that a role
may open and that the scene cannot open fails until the scene has what it names.
"""

from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest_asyncio

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.identity.auth import Role
from services.web.frame.addresses import FRONT, LANDING, NAVIGATION, SEGMENTS, is_page, navigation_of, owner_of
from tests.helpers.people import OTHER
from tests.system.scene import NOBODY, Operation, Scene, open_pages, pages, played

REFUSED = {403, 404}
OURS = (
    "worker",
    "mate",
    "group",
    "session",
    "place",
    "facilitator",
    "service",
    "asked",
    "complaint",
)  # parameters of paths that name something of one programme
OF_WHO_WAITS = {"/gruppi/posti/{worker}"}  # pages about somebody who has no seat yet
NAME = "pages"
GIVEN_NAME, FAMILY_NAME = "Zelmira", "Quagliotto"  # of the person in the scene: no page has these words by chance


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(home: Home) -> AsyncIterator[Scene]:
    async with played(home, NAME, given_name=GIVEN_NAME, family_name=FAMILY_NAME) as made:
        yield made


def told(scene: Scene, page: httpx.Response) -> list[str]:
    """Return what the page tells of the scene. What the caller wrote into the address may come back."""
    address = unescape(str(page.request.url))
    ours = (
        scene.worker,
        scene.mate,
        scene.group,
        scene.session,
        GIVEN_NAME,
        FAMILY_NAME,
        f"Casa {NAME}",
        f"{NAME}-leader",
    )
    return [each for each in ours if each in page.text and each not in address]


def check_refused(scene: Scene, page: httpx.Response, tried: object) -> None:
    """Check that this refuses and tells nothing; at the address of a page it is a page in the frame, and shows a way on."""
    assert page.status_code in REFUSED, (tried, page.status_code, page.text[:500])
    assert told(scene, page) == [], tried
    if is_page(page.request.url.path):
        assert page.headers["content-type"].startswith("text/html"), tried
        assert "<h1" in page.text, tried
        assert 'href="/' in page.text, tried


def is_form(page: Operation) -> bool:
    return page.method != "GET"


def is_fragment(page: Operation) -> bool:
    return "/frammenti/" in page.path


async def test_without_a_token_a_page_leads_to_the_sign_in_and_back(scene: Scene) -> None:
    for each in pages(scene.home):
        for token in (None, "nonsense", "a.b.c"):
            page = await scene.look(each, token)
            if is_form(each) or is_fragment(each):
                assert page.status_code in {303, 401}, (each.name, page.status_code)
                assert told(scene, page) == [], each.name
            else:
                assert page.status_code == 303, (each.name, token, page.status_code)
                to = urlsplit(page.headers["location"])
                assert (to.netloc, to.path) == ("", "/accedi"), each.name
                [back] = parse_qs(to.query)["next"]
                assert back.partition("?")[0] == scene.filled(each.path), each.name


async def test_a_role_that_a_page_does_not_name_is_refused_by_it_and_one_of_no_programme_by_all(scene: Scene) -> None:
    tried = 0
    for each in pages(scene.home):
        for role in Role:
            if role not in each.roles:
                check_refused(scene, await scene.look(each, scene.token(role)), (each.name, role))
                tried += 1
        check_refused(scene, await scene.look(each, scene.token(each.roles[0], "atlantis")), each.name)
    assert tried > 100


async def test_whoever_may_open_a_page_can(scene: Scene) -> None:
    """Else the refusals would prove nothing."""
    for each in pages(scene.home):
        if each.method == "GET":
            for role in each.roles:
                other = {"worker": scene.waits} if each.path in OF_WHO_WAITS else {}
                page = await scene.look(each, scene.token(role), **other)
                assert page.status_code == 200, (each.name, role, page.status_code, page.text[:500])


async def test_in_another_programme_nothing_of_ours_is_on_a_page(scene: Scene) -> None:
    for each in pages(scene.home):
        for role in each.roles:
            page = await scene.look(each, scene.token(role, OTHER))
            assert told(scene, page) == [], (each.name, role)
            if any(f"{{{name}}}" in each.path for name in OURS) or is_form(each):
                assert page.status_code in {403, 404, 409, 422}, (each.name, role, page.status_code)


async def test_what_a_role_has_of_its_own_ends_where_that_of_another_begins(scene: Scene) -> None:
    foreign = {
        Role.WORKER: scene.token("worker", subject=NOBODY),
        Role.FACILITATOR: scene.token("facilitator", subject="another-leader"),
        Role.REFERRER: scene.token("referrer", partner="uil"),
        Role.PARTNER_SYSTEM: scene.token("partner-system", partner="uil"),
    }
    for each in pages(scene.home):
        for role in each.own:
            page = await scene.look(each, foreign[Role(role)])
            assert told(scene, page) == [], (each.name, role)
            if "{" in each.path:
                assert page.status_code in REFUSED, (each.name, role, page.status_code)


async def test_what_is_not_there_is_a_page_that_says_so(scene: Scene) -> None:
    for each in pages(scene.home):
        if each.method == "GET" and "{" in each.path and not is_fragment(each):
            for role in each.roles:
                unknown = dict.fromkeys((*OURS, "name"), NOBODY)
                page = await scene.look(each, scene.token(role), **unknown)
                check_refused(scene, page, (each.name, role))


async def test_a_page_that_is_open_to_all_tells_a_stranger_nothing(scene: Scene) -> None:
    for method, path in open_pages(scene.home):
        form: dict[str, str] | None = {} if method == "POST" else None
        page = await scene.client.request(method, scene.filled(path), headers={"Accept": "text/html"}, data=form)
        assert page.status_code < 500, (method, path)
        assert told(scene, page) == [], (method, path)


async def test_every_entry_of_the_navigation_opens_for_each_of_its_roles(scene: Scene) -> None:
    of_services = [entry for entry in NAVIGATION if owner_of(entry.address) != FRONT]
    for entry in of_services:
        for role in entry.roles:
            page = await opened(scene, role, entry.address)
            assert page.status_code == 200, (entry.address, role)
            assert f'href="{entry.address}" aria-current="page"' in page.text, (entry.address, role)
    assert len(of_services) >= len(NAVIGATION) - 1, "the console alone is not of a service"


async def test_nobody_is_shown_an_entry_or_a_first_page_that_refuses_them(scene: Scene) -> None:
    for role in Role:
        shown = {entry.address for entry in navigation_of(role)}
        first = LANDING.get(role)
        assert first is None or first in shown, role
        for address in shown - {"/console"}:
            page = await opened(scene, role, address)
            assert page.status_code == 200, (role, address)
            menu = page.text.partition('<nav class="site-nav"')[2].partition("</nav>")[0]
            linked = {part.partition('"')[0] for part in menu.split('href="')[1:]}
            assert linked == shown, (role, address)


async def test_no_link_of_a_page_leads_its_reader_to_a_refusal(scene: Scene) -> None:
    """Each link of the pages that a role reaches from its first one, two steps deep."""
    for role in sorted({role for entry in NAVIGATION for role in entry.roles}):
        waiting = {entry.address for entry in navigation_of(role)} - {"/console"}
        known = set(waiting)
        for _ in range(2):
            found: set[str] = set()
            for address in sorted(waiting):
                page = await opened(scene, role, address)
                assert page.status_code == 200, (role, address, page.status_code)
                found |= links_in(page)
            waiting = found - known
            known |= found


def links_in(page: httpx.Response) -> set[str]:
    """Return the addresses of pages of services that a page links to."""
    if not page.headers["content-type"].startswith("text/html"):
        return set()
    found = {unescape(part.partition('"')[0]) for part in page.text.split(' href="')[1:]}
    local = {each.partition("#")[0] for each in found if each.startswith("/") and not each.startswith("//")}
    return {each for each in local if owner_of(urlsplit(each).path) in SERVICES and "lang=" not in each}


def test_every_page_of_a_service_is_at_an_address_of_the_list(home: Home) -> None:
    for each in pages(home):
        assert owner_of(each.path) in SERVICES, each.name
    have_pages = {owner_of(each.path) for each in pages(home)}
    assert {owner for owner in SEGMENTS.values() if owner != FRONT} <= have_pages | {"sessions"}


async def opened(scene: Scene, role: Role, address: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {scene.token(role)}", "Accept": "text/html", "Accept-Language": "it"}
    return await scene.client.get(address, headers=headers)
