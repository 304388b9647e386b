"""Personal accounts of people who sign in at our own issuer: login, name, grants, and the hash of a password.

Invariant: each change that takes something away (another password, disabled) gives the account another generation, and web sessions of an
earlier one have ended. Grants are read anew with every request, so that a revoked one ends at once as well.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.front import passwords
from services.front.grants import Grant
from services.front.sealed import utc
from services.identity.auth import Role
from services.identity.texts import text_of
from services.settings import Misconfigured
from services.store.errors import duplicates
from services.store.mongo import Document, PyMongoError, Store

COLLECTION = "accounts"
FIRST = "gestore"  # the login of the first account
FIRST_NAME = "Gestore del sistema"
PROBE, STUDY = "smoke", "jobs2"  # programmes with invented people, or with those of a study
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `generation` counts changes after which earlier web sessions are over."""

    login: str
    name: str
    password: str
    grants: tuple[Grant, ...]
    disabled: bool
    generation: int

    @classmethod
    def of(cls, found: Document) -> "Account":
        """Read the document of an account, as MongoDB returns it."""
        grants = tuple(Grant.read(each) for each in found["grants"])
        return cls(found["_id"], found["name"], found["password"], grants, found["disabled"], found["generation"])


def login_of(text: str) -> str:
    """Give the login that somebody typed, as it is stored. Misconfigured when it can be none."""
    login = text.strip().casefold()
    if not _LOGIN.fullmatch(login):
        raise Misconfigured("A login has a to z, digits and . _ @ + - only, such as anna.bianchi.")
    return login


class Accounts:
    """The accounts of this installation."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def prepare(self) -> None:
        """Make the collection, if it is not there."""
        await self._store.make(COLLECTION)

    @property
    def _documents(self) -> Any:
        return self._store[COLLECTION]

    async def find(self, login: str) -> Account | None:
        """Find an account by its login, disabled or not."""
        found = await self._documents.find_one({"_id": login})
        return found and Account.of(found)

    async def everybody(self) -> list[Account]:
        """List all accounts by login."""
        return [Account.of(found) async for found in self._documents.find().sort("_id", 1)]

    async def who(self, login: str, password: str) -> Account | None:
        """Find the account that this login and password open; None, after the same time, when they open none."""
        account = await self.find(login)
        if not await passwords.right(password, account.password if account else None):
            return None
        if account is None or account.disabled:
            return None
        if passwords.outdated(account.password):
            await self._documents.update_one({"_id": login}, {"$set": {"password": await passwords.hashed(password)}})
        return account

    async def add(self, login: str, name: str, grants: Sequence[Grant], hashed: str) -> None:
        """Add an account. Misconfigured when the login is taken, or the name cannot be shown."""
        try:
            named = text_of(name.strip())
        except ValueError:
            raise Misconfigured("A name has 1 to 200 characters, and none that is invisible.") from None
        document = {
            "_id": login_of(login),
            "name": named,
            "password": hashed,
            "grants": [str(each) for each in dict.fromkeys(grants)],
            "disabled": False,
            "generation": 1,
            "since": utc(),
        }
        try:
            await self._documents.insert_one(document)
        except PyMongoError as error:
            if not duplicates(error):
                raise
            raise Misconfigured(f"There is an account {document['_id']} already.") from None

    async def set_password(self, login: str, hashed: str) -> None:
        """Give an account another password; whoever is signed in with it has to sign in again."""
        await self._change(login, {"$set": {"password": hashed}, "$inc": {"generation": 1}})

    async def change_password(self, account: Account, hashed: str) -> Account | None:
        """Give an account the password that its person chose. None when it was changed or disabled meanwhile: then nothing is done."""
        as_read = {"_id": account.login, "generation": account.generation, "disabled": False}
        done = await self._documents.update_one(as_read, {"$set": {"password": hashed}, "$inc": {"generation": 1}})
        if not done.matched_count:
            return None
        return replace(account, password=hashed, generation=account.generation + 1)

    async def disable(self, login: str, disabled: bool = True) -> None:
        """Disable an account, or enable it again. Its web sessions end at once, and do not come back."""
        await self._change(login, {"$set": {"disabled": disabled}, "$inc": {"generation": 1}})

    async def grant(self, login: str, grant: Grant) -> None:
        """Add a grant, if it is not there."""
        await self._change(login, {"$addToSet": {"grants": str(grant)}})

    async def revoke(self, login: str, grant: Grant) -> None:
        """Take a grant away. Misconfigured when the account does not have it."""
        account = await self.find(login_of(login))
        if account is not None and grant not in account.grants:
            raise Misconfigured(f"{account.login} has no grant {grant}.")
        await self._change(login, {"$pull": {"grants": str(grant)}})

    async def _change(self, login: str, update: Document) -> None:
        done = await self._documents.update_one({"_id": login_of(login)}, update)
        if not done.matched_count:
            raise Misconfigured(f"There is no account {login}; `ama accounts list` shows those that are there.")

    async def make_first(self, programmes: Sequence[str], hashed: str) -> bool:
        """Make the first account, which has the system and the served programmes; False when there is an account already."""
        if await self._documents.find_one({}, {"_id": 1}) is not None:
            return False
        await self.add(FIRST, FIRST_NAME, first_grants(programmes), hashed)
        return True


def first_grants(programmes: Sequence[str]) -> list[Grant]:
    """Give the grants of the first account: the system, and everything that an operator does, in each programme with people."""
    with_people = [each for each in programmes if each != PROBE] or programmes
    offered = sorted(with_people, key=lambda each: each == STUDY)
    return [Grant(role=role, programme=each) for role in (Role.SYSTEM_OPERATOR, Role.OPERATOR) for each in offered]
