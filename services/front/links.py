"""Personal links of workers: enrolment says for whom one stands.

Invariant: the token of a link is sent to enrolment alone, on the inner network, and is neither logged nor kept.
"""

import re

import httpx
from pydantic import ValidationError

from services.front.grants import Grant
from services.front.people import Person
from services.identity.auth import Role
from services.kernel import Unavailable

PATIENCE = 10.0  # seconds for enrolment to answer
AWAY = "The page cannot be opened at this moment."
_TOKEN = re.compile(r"[A-Za-z0-9_.-]{20,500}")


class Links:
    """Asks enrolment. `address`: of a service, with {service} for its name."""

    def __init__(self, client: httpx.AsyncClient, address: str) -> None:
        self._client, self._enrolment = client, address.format(service="enrolment")

    async def redeem(self, token: str) -> Person | None:
        """Return the worker of a link; None when it is wrong, used up or expired. Unavailable when enrolment does not answer."""
        # Such a text is no step to another path of enrolment.
        if not _TOKEN.fullmatch(token) or not token.strip("."):
            return None
        try:
            answer = await self._client.post(f"{self._enrolment}/links/{token}", timeout=PATIENCE)
            if answer.is_client_error:
                return None
            told = answer.raise_for_status().json()
            grant = Grant(role=Role.WORKER, programme=told["programme"], worker=told["worker"])
        # `from None`: an error of httpx names the address, and so the token.
        except (httpx.HTTPError, ValidationError, ValueError, KeyError, TypeError):
            raise Unavailable(AWAY) from None
        return Person(told["worker"], "", (grant,))
