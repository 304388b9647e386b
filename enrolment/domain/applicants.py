"""Somebody who asks to take part on the public page: an address, and a link to it, until they send the form or the link ends.

Invariants: before the address is confirmed nothing is stored but the address, sealed, and a keyed digest by which it is recognised. When
the form was sent, or the link has ended, neither is left. A link makes one worker, however often its form is sent.
"""

from datetime import datetime, timedelta
from typing import ClassVar

from enrolment.domain.worker import digest_of
from services.contracts.enrolment import SelfReferralOpened, WorkerErased
from services.kernel import Aggregate, applies

LASTS = timedelta(hours=24)  # how long the link opens the form
AGAIN = timedelta(minutes=10)  # between two links to one address
MOST = 3  # links to one address that are open at one time


class Asking(Aggregate):
    """One request. The id is that of a person with a key of their own, which ends with the request. `card`: the sealed address and the
    language; `address`: its keyed digest; `digest`: of the token; `worker`: whom the form made."""

    noun: ClassVar[str] = "asking"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("address",), ("digest",), ("ended", "until"))
    address: str
    card: dict[str, str] = {}
    digest: str = ""
    issued: datetime
    until: datetime
    ended: bool = False
    worker: str | None = None

    @classmethod
    def begin(cls, id: str, address: str, now: datetime) -> "Asking":
        """A new request, whose link is not issued yet."""
        return cls(id=id, address=address, issued=now, until=now + LASTS)

    def issue(self, token: str) -> None:
        """Issue the link, which notifications sends."""
        self.says(SelfReferralOpened(token=token, expires=self.until))

    @applies(SelfReferralOpened)
    def _issued(self, event: SelfReferralOpened) -> None:
        self.digest = digest_of(event.token)

    def is_open(self, now: datetime) -> bool:
        """True while the link opens the form."""
        return not self.ended and now < self.until

    def end(self, worker: str | None = None) -> None:
        """Forget the address: the form was sent, and made this worker, or the link has ended."""
        self.worker = worker
        self.says(WorkerErased())

    @applies(WorkerErased)
    def _ended(self, _: WorkerErased) -> None:
        self.ended, self.card, self.address = True, {}, ""
