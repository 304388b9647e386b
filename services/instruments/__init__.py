"""Questionnaires are data: items, range, reversals, direction, scoring, reliability with its source, licence; wording where it may be shipped.

Invariant: a score is computed only from a complete, valid set of answers; what is wrong is named by its item.
"""

import tomllib
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from math import isfinite

from pydantic import BaseModel, ConfigDict, Field

from services.contracts.base import Slug
from services.kernel import Refused


class Part(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Direction(StrEnum):
    """Which way is good."""

    HIGHER = "higher-is-better"
    LOWER = "lower-is-better"


class Method(StrEnum):
    """How items make a scale."""

    SUM = "sum"
    MEAN = "mean"


class Item(Part):
    """One question. `text` by language, where the licence lets us ship it."""

    id: Slug
    reversed: bool = False
    text: dict[str, str] = {}


class Scale(Part):
    """Items that are scored together; `factor` multiplies the sum or mean."""

    id: Slug
    items: tuple[Slug, ...] = Field(min_length=1)
    method: Method
    factor: float = 1.0


class Reliability(Part):
    """Internal consistency as published, with where."""

    alpha: float = Field(gt=0, le=1)
    source: str


class Instrument(Part):
    """A questionnaire. Every item is answered from `least` to `most`; in whole steps unless `continuous`."""

    id: Slug
    title: str
    direction: Direction
    least: float
    most: float
    continuous: bool = False
    licence: str
    source: str
    items: tuple[Item, ...] = Field(min_length=1)
    scales: tuple[Scale, ...] = Field(min_length=1)
    reliability: Reliability | None = None

    def score(self, answers: dict[str, float]) -> dict[str, float]:
        """The scales' scores. Refused("bad-answer", 422) naming the item that is unknown, missing or out of range."""
        items = {item.id: item for item in self.items}
        if unknown := sorted(answers.keys() - items.keys()):
            raise self._bad(unknown[0], "is no item of it")
        if missing := [item for item in items if item not in answers]:
            raise self._bad(missing[0], "is not answered")
        for item, answer in answers.items():
            if (
                not isfinite(answer)
                or not self.least <= answer <= self.most
                or not (self.continuous or answer == int(answer))
            ):
                raise self._bad(item, f"is not answered from {self.least:g} to {self.most:g}")
        turned = {
            id: self.least + self.most - answers[id] if item.reversed else answers[id] for id, item in items.items()
        }
        return {scale.id: self._scored(scale, turned) for scale in self.scales}

    @staticmethod
    def _scored(scale: Scale, turned: dict[str, float]) -> float:
        total = sum(turned[item] for item in scale.items)
        return scale.factor * (total / len(scale.items) if scale.method is Method.MEAN else total)

    def _bad(self, item: str, why: str) -> Refused:
        return Refused("bad-answer", f"{self.id}: item {item} {why}.", status=422, item=item)


@lru_cache(maxsize=1)
def load_all() -> dict[str, Instrument]:
    """The shipped instruments, by id."""
    shipped = sorted(
        (each for each in files("services.instruments").iterdir() if each.name.endswith(".toml")), key=lambda e: e.name
    )
    loaded = [Instrument.model_validate(tomllib.loads(each.read_text(encoding="utf-8"))) for each in shipped]
    return {instrument.id: instrument for instrument in loaded}
