"""Claims of another provider as grants: which claim, with which value, means which role, programme, partner and facilitator.

Invariant: a claim that says nothing that can be understood grants nothing; it never stops the sign-in of a person who has another grant.
"""

import logging
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from services.front.grants import OF_PEOPLE, Grant
from services.settings import Misconfigured, text_of

log = logging.getLogger(__name__)
CLAIM = "ama"  # the claim that holds grants where no file says otherwise
NAMES = ("programme", "partner", "facilitator")
_PLACE = re.compile(r"\\\{(programme|partner|facilitator)\\\}")


class From(BaseModel):
    """A part of a grant that another claim holds."""

    model_config = ConfigDict(extra="forbid")

    claim: str


class Rule(BaseModel):
    """Whoever's `claim` has this `value` has this grant. A value may have places such as `{partner}`, which the claim fills."""

    model_config = ConfigDict(extra="forbid")

    claim: str
    value: str
    role: str
    programme: str | From | None = None
    partner: str | From | None = None
    facilitator: str | From | None = None

    def grants(self, claims: Mapping[str, Any]) -> Iterable[Grant]:
        """Give the grants of these claims."""
        pattern = re.compile(_PLACE.sub(r"(?P<\1>[^/:\\s]+)", re.escape(self.value)))
        for each in _texts(claims, self.claim):
            if (found := pattern.fullmatch(each)) is not None:
                parts = {**found.groupdict(), **self._given(claims)}
                yield from _grant({"role": self.role, **{name: part for name, part in parts.items() if part}})

    def _given(self, claims: Mapping[str, Any]) -> dict[str, str]:
        given = {name: getattr(self, name) for name in NAMES}
        told = {name: next(iter(_texts(claims, one.claim)), "") for name, one in given.items() if isinstance(one, From)}
        return {name: one for name, one in given.items() if isinstance(one, str)} | told


class Rules(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(extra="forbid")

    grant: list[Rule]


def rules_of(path: Path | None) -> list[Rule] | None:
    """Read the file of AMA_CLAIMS; None without one. Misconfigured, one sentence, for a file that is wrong."""
    if path is None:
        return None
    try:
        rules = Rules.model_validate(tomllib.loads(text_of(path))).grant
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"AMA_CLAIMS: {path}: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(each) for each in first["loc"])
        raise Misconfigured(f"AMA_CLAIMS: {path}: {place}: {first['msg'].lower()}.") from error
    if unknown := [rule.role for rule in rules if rule.role not in OF_PEOPLE]:
        raise Misconfigured(f"AMA_CLAIMS: {path}: nobody is granted {unknown[0]}; roles are {', '.join(OF_PEOPLE)}.")
    return rules


def grants_of(claims: Mapping[str, Any], rules: list[Rule] | None) -> list[Grant]:
    """Give the grants of a person, each once. Without rules, the claim `ama` holds them, as texts or as objects."""
    found = _told(claims) if rules is None else (each for rule in rules for each in rule.grants(claims))
    return list(dict.fromkeys(found))


def _told(claims: Mapping[str, Any]) -> Iterable[Grant]:
    told = claims.get(CLAIM)
    for each in told if isinstance(told, list) else [told]:
        if isinstance(each, str):
            try:
                yield Grant.read(each)
            except Misconfigured:
                _not_understood()
        elif isinstance(each, Mapping):
            yield from _grant(each)


def _grant(parts: Mapping[str, Any]) -> Iterable[Grant]:
    try:
        found = Grant.model_validate({name: part for name, part in parts.items() if part != ""})
    except ValidationError:
        _not_understood()
        return
    if found.role in OF_PEOPLE:
        yield found


def _not_understood() -> None:
    # Without the claim, which is about a person.
    log.warning("a claim grants nothing that is known here", extra={"reason": "grant"})


def _texts(claims: Mapping[str, Any], path: str) -> list[str]:
    """Give the texts at a dotted path of the claims: one text, or those of a list. A claim whose own name has dots is found by it."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str)]
