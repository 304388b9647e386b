"""The page at `/`: which services stand here, and where each is described. No script, nothing from elsewhere."""

from collections.abc import Iterable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

PAGE = """<!doctype html>
<html lang="it"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>AMA Lavoro</title></head>
<body><main><h1>AMA Lavoro</h1>
<p>Auto Mutuo Aiuto Lavoro: gruppi di auto mutuo aiuto per chi ha perso il lavoro. <span lang="en">The services that run here:</span></p>
<ul>{items}</ul></main></body></html>"""
ITEM = """<li><strong>{name}</strong>: <a href="/{name}/docs">API</a>, <a href="/{name}/asyncapi">eventi</a>,
<a href="/{name}/openapi.json">OpenAPI</a>, <a href="/{name}/asyncapi.json">AsyncAPI</a>, <a href="/{name}/readyz">stato</a></li>"""


def front(services: Iterable[str]) -> Route:
    """The route of the page."""
    page = PAGE.format(items="\n".join(ITEM.format(name=escape(name)) for name in services))

    async def show(_: Request) -> HTMLResponse:
        return HTMLResponse(page)

    return Route("/", show, methods=["GET"])
