"""Personal accounts for journeys, and people who sign in with them by the form."""

import secrets
from dataclasses import dataclass

from services.embedded.home import Home
from services.front import passwords
from services.front.grants import Grant
from tests.helpers.people import PROGRAMME
from tests.journeys.walking import Walker


@dataclass(frozen=True, slots=True)
class Account:
    """The login and the password of somebody, as they know them."""

    login: str
    password: str


async def account(home: Home, name: str, *grants: str) -> Account:
    """Add an account with these grants in the programme of the journeys: a role, or a role and an id with a colon between them."""
    made = Account(f"{name.lower().replace(' ', '.')}-{secrets.token_hex(4)}", passwords.new_password())
    roles = (each.partition(":") for each in grants)
    whole = [Grant.read(":".join(filter(None, (role, PROGRAMME, id)))) for role, _, id in roles]
    await home.site.accounts.add(made.login, name, whole, await passwords.hashed(made.password))
    return made


async def sign_in(walker: Walker, who: Account, address: str = "/accedi") -> None:
    """Sign in by the form. `address`: the page that somebody wanted."""
    await walker.goes(address)
    await walker.looks("sign in")
    await walker.types(name=who.login, password=who.password)
    await walker.sends()
