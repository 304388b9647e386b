"""Applications served within short limits, and raw requests to them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.runtime.connections import Limits
from services.runtime.serving import listen, serving

SHORT = Limits(headers_within=0.6, body_within=1.2, reads_within=0.6, closes_within=0.5)
Address = tuple[str, int]


@asynccontextmanager
async def limited(app: Any, limits: Limits = SHORT) -> AsyncIterator[Address]:
    """Serve an application within these limits. Gives its address."""
    with listen(0) as listening:
        async with serving(app, listening, limits):
            yield listening.getsockname()


async def said(address: Address, sent: bytes, within: float = 5.0) -> tuple[int, dict[str, Any]]:
    """Send bytes and wait for the end of the connection. Gives status and problem document; (0, {}) for an end without a word."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(sent)
    try:
        answer = await asyncio.wait_for(reader.read(), within)
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head:
        return 0, {}
    assert b"content-type: application/problem+json" in head
    return int(head.split()[1]), json.loads(body)
