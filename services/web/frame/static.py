"""Static files of the site: Bootstrap Italia, htmx, fonts, the site's own style, each under an address with a digest of them all.

Invariant: an address with a digest never changes its content, so browsers keep it for a year and ask for nothing again.
"""

import gzip
import mimetypes
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

STATIC = Path(__file__).parent / "static"
PREFIX = "/static"
FOR_EVER = "public, max-age=31536000, immutable"
# A page of another copy of the site, during an update, names files of another version.
NOT_OURS = "public, max-age=60"
PACKED = ("text/", "image/svg", "application/javascript")  # fonts are compressed already


@cache
def version() -> str:
    """Return the digest of all static files together, by which their addresses change with any of them."""
    digest = sha256()
    for path in sorted(each for each in STATIC.rglob("*") if each.is_file()):
        digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def asset(name: str) -> str:
    """Return the address of a static file, by its path in the folder."""
    return f"{PREFIX}/{version()}/{name}"


def routes() -> list[BaseRoute]:
    """List the routes of the static files, for the application that stands at the root of the site."""
    return [Route(f"{PREFIX}/{{version}}/{{name:path}}", _file, methods=["GET"])]


@cache
def _files() -> dict[str, tuple[bytes, bytes | None, str]]:
    """Read every file once: its bytes, these compressed where that helps, its media type. A name that is not here cannot be asked for."""
    found: dict[str, tuple[bytes, bytes | None, str]] = {}
    for path in (each for each in STATIC.rglob("*") if each.is_file()):
        content, kind = path.read_bytes(), _kind(path)
        packed = gzip.compress(content, 9, mtime=0) if kind.startswith(PACKED) else None
        found[path.relative_to(STATIC).as_posix()] = content, packed, kind
    return found


def _kind(path: Path) -> str:
    # Not from the machine's own table, which may lack fonts.
    known = {".woff2": "font/woff2", ".js": "application/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    return known.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


async def _file(request: Request) -> Response:
    if (file := _files().get(request.path_params["name"])) is None:
        return PlainTextResponse("There is no such file.", 404)
    content, packed, kind = file
    ours = request.path_params["version"] == version()
    headers = {"Cache-Control": FOR_EVER if ours else NOT_OURS, "Vary": "Accept-Encoding"}
    if packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=kind, headers={**headers, "Content-Encoding": "gzip"})
    return Response(content, media_type=kind, headers=headers)
