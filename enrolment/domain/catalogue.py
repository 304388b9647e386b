"""A service of the catalogue: what an organisation offers, for whom, and until when that is known to hold.

Invariant: a service that was once in the catalogue stays there; one that is offered no more is inactive, and nothing new is asked of it.
The names of the fields are those of Open Referral HSDS 3.0.
"""

from datetime import date
from typing import ClassVar

from services.contracts.paths import ServiceKind, ServiceRegistered, ServiceStatus
from services.kernel import Aggregate, Refused, applies


class OfferedService(Aggregate):
    """One service; its id is the one of the programme's file, or made of its name."""

    noun: ClassVar[str] = "service"
    content: ServiceRegistered | None = None  # None only before the first event

    @classmethod
    def new(cls, id: str, content: ServiceRegistered) -> "OfferedService":
        """A service that was not in the catalogue."""
        service = cls(id=id)
        service.says(content)
        return service

    @property
    def told(self) -> ServiceRegistered:
        """What the catalogue says of it."""
        assert self.content is not None  # `new` and a replay set it
        return self.content

    @property
    def kind(self) -> ServiceKind:
        """The kind of the service."""
        return self.told.kind

    def correct(self, content: ServiceRegistered) -> None:
        """Replace what the catalogue says of it. The status stays: `retire` and `offer_again` change it."""
        self.says(content.model_copy(update={"status": self.told.status}))

    def retire(self) -> None:
        """Let nothing new be asked of it. Refused: service-inactive."""
        self.refuse_inactive()
        self.says(self.told.model_copy(update={"status": ServiceStatus.INACTIVE}))

    def offer_again(self) -> None:
        """Offer a service again that was retired. Refused: service-active."""
        if self.told.status is ServiceStatus.ACTIVE:
            raise Refused("service-active", f"Service {self.id} is offered already.")
        self.says(self.told.model_copy(update={"status": ServiceStatus.ACTIVE}))

    def refuse_inactive(self) -> None:
        """Refuse to ask for a service that is not offered any more."""
        if self.told.status is ServiceStatus.INACTIVE:
            raise Refused("service-inactive", f"Service {self.id} is not offered any more.")

    @applies(ServiceRegistered)
    def _registered(self, content: ServiceRegistered) -> None:
        self.content = content


def is_expired(valid_to: date | None, today: date) -> bool:
    """Tell whether the notes on eligibility are past the last day on which they hold. None: no such day is known."""
    return valid_to is not None and valid_to < today
