"""Parts of a page that other services render, fetched side by side with the reader's own token.

Invariant: a page never waits longer than half a second for a sibling, and works without it; the sibling decides by the reader's own rights.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.requests import Request

from services.contracts.topics import SERVICES
from services.web.frame.addresses import segment_of
from services.web.frame.texts import LANGUAGES
from services.web.pages import language_of

log = logging.getLogger(__name__)
PATIENCE = 0.5  # seconds for each
LARGEST = 512 * 1024  # bytes of one fragment


@dataclass(frozen=True, slots=True)
class Fragment:
    """The HTML of another service; None when it did not give it in time, or refused it."""

    html: str | None


async def gather(request: Request, **paths: str) -> dict[str, Fragment]:
    """Fetch fragments by their public paths, all at once. ValueError for a path that belongs to no service."""
    found = await _fetched(request, paths, "text/html")
    return {name: Fragment(answer.text if answer is not None else None) for name, answer in found.items()}


async def gather_json(request: Request, **paths: str) -> dict[str, Any]:
    """Fetch data by their public paths, all at once; None for what did not come."""
    found = await _fetched(request, paths, "application/json")
    return {name: answer.json() if answer is not None else None for name, answer in found.items()}


async def close(app: FastAPI) -> None:
    """Close the client of a service, when it stops."""
    client: httpx.AsyncClient | None = getattr(app.state, "fragments", None)
    if client is not None:
        await client.aclose()


async def _fetched(request: Request, paths: dict[str, str], kind: str) -> dict[str, httpx.Response | None]:
    addresses = [_address(request, path) for path in paths.values()]
    answers = await asyncio.gather(*(_one(request, each, kind) for each in addresses))
    return dict(zip(paths, answers, strict=True))


def _address(request: Request, path: str) -> str:
    service = segment_of(path)
    if service not in SERVICES:
        raise ValueError(f"{path.partition('?')[0]} belongs to no service")
    base: str = request.app.state.service.settings.services
    return base.format(service=service) + path.lstrip("/").removeprefix(service)


async def _one(request: Request, address: str, kind: str) -> httpx.Response | None:
    headers = {"Accept-Language": language_of(request, LANGUAGES)}
    if "authorization" in request.headers:
        headers["Authorization"] = request.headers["authorization"]
    try:
        # Beside the client's own limits, which are for each read: an answer may come drop by drop.
        async with asyncio.timeout(PATIENCE):
            answer = await _client(request.app).get(address, headers=headers)
    except (httpx.HTTPError, TimeoutError) as error:
        log.warning("a fragment is missing", extra={"service": _named(address), "error": type(error).__name__})
        return None
    fits = answer.headers.get("content-type", "").startswith(kind) and len(answer.content) <= LARGEST
    if answer.status_code != httpx.codes.OK or not fits:
        log.warning("a fragment is missing", extra={"service": _named(address), "status": answer.status_code})
        return None
    return answer


def _named(address: str) -> str:
    # The whole address may name a person.
    return httpx.URL(address).path.strip("/").partition("/")[0]


def _client(app: FastAPI) -> httpx.AsyncClient:
    if getattr(app.state, "fragments", None) is None:
        app.state.fragments = httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False)
    client: httpx.AsyncClient = app.state.fragments
    return client
