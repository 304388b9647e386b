"""Parts of a page that other services render, fetched side by side with the reader's own token.

A sibling in the same process is asked without a connection (`beside`), any other one by HTTP.

Invariant: a page never waits longer than half a second for a sibling, and works without it; the sibling decides by the reader's own rights.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp

from services.contracts.topics import SERVICES
from services.web.frame.addresses import segment_of
from services.web.frame.inside import OK, Answer, Broken, TooLong, ask
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
    return {name: Fragment(answer.body.decode() if answer is not None else None) for name, answer in found.items()}


async def gather_json(request: Request, **paths: str) -> dict[str, Any]:
    """Fetch data by their public paths, all at once; None for what did not come."""
    found = await _fetched(request, paths, "application/json")
    return {name: json.loads(answer.body) if answer is not None else None for name, answer in found.items()}


def beside(app: FastAPI, siblings: Mapping[str, ASGIApp]) -> None:
    """Let the pages of a service ask these siblings, by their names, in this process."""
    app.state.siblings, app.state.asked = siblings, set()


async def close(app: FastAPI) -> None:
    """Close the client of a service, when it stops."""
    client: httpx.AsyncClient | None = getattr(app.state, "fragments", None)
    if client is not None:
        await client.aclose()


async def _fetched(request: Request, paths: dict[str, str], kind: str) -> dict[str, Answer | None]:
    services = [_service(path) for path in paths.values()]
    headers = {"Accept-Language": language_of(request, LANGUAGES)}
    if "authorization" in request.headers:
        headers["Authorization"] = request.headers["authorization"]
    asked = zip(services, paths.values(), strict=True)
    answers = await asyncio.gather(*(_one(request.app, service, path, headers, kind) for service, path in asked))
    return dict(zip(paths, answers, strict=True))


def _service(path: str) -> str:
    service = segment_of(path)
    if service not in SERVICES or not path.startswith(f"/{service}/"):
        raise ValueError(f"{path.partition('?')[0]} belongs to no service")
    return service


async def _one(app: FastAPI, service: str, path: str, headers: dict[str, str], kind: str) -> Answer | None:
    """One answer, if it came in time and is what was asked for."""
    try:
        # Beside the client's own limits, which are for each read: an answer may come drop by drop.
        async with asyncio.timeout(PATIENCE):
            answer = await _asked(app, service, path, headers)
    except (httpx.HTTPError, TimeoutError, TooLong, Broken) as error:
        # Not the whole address, which may name a person.
        log.warning("a fragment is missing", extra={"service": service, "error": type(error).__name__})
        return None
    if answer.status != OK or not answer.kind.startswith(kind):
        log.warning("a fragment is missing", extra={"service": service, "status": answer.status})
        return None
    return answer


async def _asked(app: FastAPI, service: str, path: str, headers: dict[str, str]) -> Answer:
    if _is_here(app, service):
        # Not ended with the patience of this page, as no sibling behind a connection is: it may fetch what others wait for, such as keys.
        asked = asyncio.create_task(ask(app.state.siblings[service], service, path, headers, LARGEST))
        app.state.asked.add(asked)
        asked.add_done_callback(partial(_over, app))
        return await asyncio.shield(asked)
    base: str = app.state.service.settings.services
    address = base.format(service=service) + path.removeprefix(f"/{service}")
    got = await _client(app).get(address, headers=headers)
    if len(got.content) > LARGEST:
        raise TooLong
    return Answer(got.status_code, got.headers.get("content-type", ""), got.content)


def _over(app: FastAPI, asked: "asyncio.Task[Answer]") -> None:
    app.state.asked.discard(asked)
    if not asked.cancelled():
        asked.exception()  # else asyncio reports one that came after the page had gone on


def _is_here(app: FastAPI, service: str) -> bool:
    return service in getattr(app.state, "siblings", {})


def _client(app: FastAPI) -> httpx.AsyncClient:
    if getattr(app.state, "fragments", None) is None:
        app.state.fragments = httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False)
    client: httpx.AsyncClient = app.state.fragments
    return client
