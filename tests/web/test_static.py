"""Static files: kept for ever under an address with a digest, compressed, and nothing else can be asked for."""

import gzip

import httpx
import pytest
from starlette.applications import Starlette

from services import web
from services.web.frame import static
from tests.web.framed import pages_client

FIRST_PAGE = 200_000  # bytes, compressed


def client() -> httpx.AsyncClient:
    app = Starlette(routes=static.routes())
    web.install_outside(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://site")


async def test_a_file_is_kept_for_a_year_and_sent_compressed_to_whoever_takes_it() -> None:
    address = static.asset("site.css")
    packed = await client().get(address)
    assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (packed.headers["content-type"], packed.headers["content-encoding"]) == ("text/css; charset=utf-8", "gzip")
    plain = await client().get(address, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content == (static.STATIC / "site.css").read_bytes()


async def test_a_font_is_not_compressed_again() -> None:
    answer = await client().get(static.asset("vendor/titillium-regular.woff2"))
    assert (answer.headers["content-type"], answer.headers.get("content-encoding")) == ("font/woff2", None)


async def test_a_page_of_another_version_gets_the_file_for_a_moment_and_not_for_ever() -> None:
    answer = await client().get("/static/0123456789ab/site.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=60")


@pytest.mark.parametrize("name", ["nothing.css", "../addresses.py", "%2e%2e/addresses.py", "vendor", "", "/etc/passwd"])
async def test_nothing_else_can_be_asked_for(name: str) -> None:
    assert (await client().get(f"/static/{static.version()}/{name}")).status_code == 404


async def test_the_first_page_is_light_enough_for_a_slow_line() -> None:
    page = (await pages_client().get("/persone")).text
    names = [name for name in static._files() if static.asset(name) in page or name.endswith(".woff2")]
    assert "vendor/bootstrap-italia.css" in names
    sizes = {name: len(packed or content) for name, (content, packed, _) in static._files().items() if name in names}
    assert sum(sizes.values()) + len(gzip.compress(page.encode())) < FIRST_PAGE, sizes
