"""Sign-ins that were begun: what must come back from the provider, for one browser, in any copy and after a restart.

Invariant: a begun sign-in is finished once, by the browser that began it, within its time.
"""

from dataclasses import asdict
from datetime import timedelta

from services.front.cookies import BEGUN_LASTS
from services.front.sealed import Clock, Sealed, utc
from services.identity.oidc import NotSignedIn, Pending
from services.store.mongo import Store

COLLECTION = "begun"


class Begun:
    """The sign-ins of all browsers that are on their way."""

    def __init__(self, store: Store, clock: Clock = utc) -> None:
        self._kept, self._clock = Sealed(store, COLLECTION, clock), clock

    async def prepare(self) -> None:
        """Make the collection and its index."""
        await self._kept.prepare()

    async def keep(self, pending: Pending, then: str | None) -> str:
        """Keep a sign-in and where to go afterwards; return the secret for the browser's cookie."""
        until = self._clock() + timedelta(seconds=BEGUN_LASTS)
        return await self._kept.keep({"pending": asdict(pending), "then": then}, until)

    async def take(self, secret: str) -> tuple[Pending, str | None]:
        """Give a begun sign-in, once. NotSignedIn when this browser began none, or too long ago."""
        found = await self._kept.take(secret)
        if found is None:
            raise NotSignedIn("no sign-in was begun here")
        return Pending(**found["pending"]), found["then"]
