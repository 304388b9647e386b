"""Grants: what a person may be here, as `role:programme` or `role:programme:partner` or `facilitator:programme:id`.

Invariant: a grant names all that its role needs, and nothing that its role does not know. Roles of workers and of partner systems are no
grants of a person: a worker comes by a personal link, a system with a token of its own.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from services.contracts.base import Id, Slug
from services.identity.auth import Role, Who
from services.settings import Misconfigured

OF_PEOPLE = (
    Role.SYSTEM_OPERATOR, Role.ADMINISTRATOR, Role.OPERATOR, Role.COORDINATOR, Role.FACILITATOR, Role.REFERRER,
)  # fmt: skip
HOW = "Write a grant as role:programme, referrer:programme:partner or facilitator:programme:id."


class Grant(BaseModel):
    """One role of one person in one programme. `facilitator` is the id under which grouping knows a facilitator; `worker` stands in the
    grant of a personal link alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    role: Role
    programme: Slug
    partner: Slug | None = None
    facilitator: Id | None = None
    worker: Id | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        needed = {Role.REFERRER: "partner", Role.FACILITATOR: "facilitator", Role.WORKER: "worker"}.get(self.role)
        given = {name for name in ("partner", "facilitator", "worker") if getattr(self, name) is not None}
        if given != ({needed} if needed else set()) or self.role is Role.PARTNER_SYSTEM:
            raise ValueError(f"a grant of the role {self.role} names {needed or 'its programme alone'}")
        return self

    @classmethod
    def read(cls, text: str) -> "Grant":
        """Read a grant that somebody typed. Misconfigured for anything that is none."""
        role, _, rest = text.strip().partition(":")
        programme, _, more = rest.partition(":")
        named = {"partner": more} if role == Role.REFERRER else {"facilitator": more}
        try:
            found = cls.model_validate({"role": role, "programme": programme, **(named if more else {})})
        except ValidationError:
            raise Misconfigured(f"{text} is no grant. {HOW}") from None
        if found.role not in OF_PEOPLE:
            raise Misconfigured(f"Nobody is granted the role {found.role}. {HOW}")
        return found

    def __str__(self) -> str:
        more = self.partner or self.facilitator or self.worker
        return f"{self.role}:{self.programme}" + (f":{more}" if more else "")

    def who(self, subject: str, name: str) -> Who:
        """Give the caller that services see: by id where the role has one, else by the account."""
        return Who(self.role, self.facilitator or self.worker or subject, self.programme, self.partner, name)
