"""Questionnaires as data: items, scoring, cut-offs, reliability with its source, licence; wording where its licence lets us ship it, or
from files of the operator.

Imports kernel, settings and contracts. `programmes` and the rooms `sessions` and `analytics` may import it.
Invariant: a score is computed from valid answers alone, and from all of them except those that the instrument's author allows to be
missing; a mistake is named by its item.
"""

import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from math import isfinite
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.contracts.base import Slug
from services.kernel import Refusal, Refused


class Part(BaseModel):
    """A part of an instrument. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Direction(StrEnum):
    """The direction in which a score improves."""

    HIGHER = "higher-is-better"
    LOWER = "lower-is-better"


class Method(StrEnum):
    """The way in which items make a scale."""

    SUM = "sum"
    MEAN = "mean"


class Mistake(StrEnum):
    """The mistake of one answer."""

    UNKNOWN = "unknown"
    UNANSWERED = "unanswered"
    OUT_OF_RANGE = "out-of-range"


class Item(Part):
    """One question. `text` by language, where the licence allows to ship it."""

    id: Slug
    reversed: bool = False
    text: dict[str, str] = {}


class Scale(Part):
    """Items that are scored together; `factor` multiplies the sum or mean. Unanswered ones, up to `may_miss`, count as the others' mean."""

    id: Slug
    items: tuple[Slug, ...] = Field(min_length=1)
    method: Method
    factor: float = 1.0
    may_miss: int = Field(default=0, ge=0)


class CutOff(Part):
    """A limit from which a score has a meaning, as published. Never a diagnosis."""

    scale: Slug
    at_most: float | None = None
    at_least: float | None = None
    meaning: str
    source: str


class Reliability(Part):
    """Internal consistency as published, with its source."""

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
    # By language, as people read it: the title, the sentence above the questions, and the label of each answer from the least on.
    titles: dict[str, str] = {}
    introduction: dict[str, str] = {}
    answers: dict[str, tuple[str, ...]] = {}
    items: tuple[Item, ...] = Field(min_length=1)
    scales: tuple[Scale, ...] = Field(min_length=1)
    cut_offs: tuple[CutOff, ...] = ()
    reliability: Reliability | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.most <= self.least:
            raise ValueError("most: not above least")
        _each_once("items", [item.id for item in self.items])
        _each_once("scales", [scale.id for scale in self.scales])
        for scale in self.scales:
            _each_once(f"scale {scale.id}", scale.items)
            if unknown := set(scale.items) - {item.id for item in self.items}:
                raise ValueError(f"scale {scale.id}: there is no item {min(unknown)}")
            if scale.may_miss >= len(scale.items):
                raise ValueError(f"scale {scale.id}: nothing would be left to score")
        for language, labels in self.answers.items():
            if self.continuous or len(labels) != self.most - self.least + 1:
                raise ValueError(f"answers {language}: not one label for each answer")
        for cut in self.cut_offs:
            if cut.scale not in {scale.id for scale in self.scales}:
                raise ValueError(f"cut-off: there is no scale {cut.scale}")
            if cut.at_most is None and cut.at_least is None:
                raise ValueError("cut-off: neither at_most nor at_least")
        return self

    @property
    def languages(self) -> list[str]:
        """The languages in which every item has its wording; none: it cannot be sent to people."""
        return sorted(set[str].intersection(*(set(item.text) for item in self.items)))

    def mistakes(self, answers: Mapping[str, float]) -> dict[str, Mistake]:
        """Judge answers, from the API and from the page alike: the mistake of each item that has one. Unanswered items are mistakes where
        a scale lacks more of them than it may."""
        known = {item.id for item in self.items}
        found = dict.fromkeys(sorted(answers.keys() - known), Mistake.UNKNOWN)
        for scale in self.scales:
            missing = [item for item in scale.items if item not in answers]
            if len(missing) > scale.may_miss:
                found |= dict.fromkeys(missing, Mistake.UNANSWERED)
        wrong = (item for item in answers if item in known and not self._is_possible(answers[item]))
        return found | dict.fromkeys(wrong, Mistake.OUT_OF_RANGE)

    def _is_possible(self, answer: float) -> bool:
        return isfinite(answer) and self.least <= answer <= self.most and (self.continuous or answer == int(answer))

    def may_be_left(self, item: str) -> bool:
        """True when a score can do without the answer to this item."""
        return all(scale.may_miss > 0 for scale in self.scales if item in scale.items)

    def score(self, answers: dict[str, float]) -> dict[str, float]:
        """Return the score of each scale. Refused("bad-answer", INVALID) names the item that is unknown, missing or out of range."""
        for item, mistake in self.mistakes(answers).items():
            raise self._bad(item, mistake)
        items = {item.id: item for item in self.items}
        turned = {
            id: self.least + self.most - answer if items[id].reversed else answer for id, answer in answers.items()
        }
        return {scale.id: self._scored(scale, turned) for scale in self.scales}

    def range_of(self, scale: str) -> tuple[float, float]:
        """Return the least and the greatest score of this scale. StopIteration when there is none of that name."""
        scored = next(each for each in self.scales if each.id == scale)
        ends = [self._scored(scored, dict.fromkeys(scored.items, end)) for end in (self.least, self.most)]
        # A negative factor turns the ends around.
        return min(ends), max(ends)

    @staticmethod
    def _scored(scale: Scale, turned: dict[str, float]) -> float:
        given = [turned[item] for item in scale.items if item in turned]
        mean = sum(given) / len(given)
        if scale.method is Method.MEAN:
            return scale.factor * mean
        # Without missing answers the sum is exact; a mean multiplied again may be rounded.
        whole = len(given) == len(scale.items)
        return scale.factor * (sum(given) if whole else mean * len(scale.items))

    def _bad(self, item: str, mistake: Mistake) -> Refused:
        why = {
            Mistake.UNKNOWN: "is no item of it",
            Mistake.UNANSWERED: "is not answered",
            Mistake.OUT_OF_RANGE: f"is not answered from {self.least:g} to {self.most:g}",
        }[mistake]
        return Refused("bad-answer", f"{self.id}: item {item} {why}.", Refusal.INVALID, item=item)


def _each_once(part: str, names: Sequence[str]) -> None:
    for at, name in enumerate(names):
        if name in names[:at]:
            raise ValueError(f"{part}: {name} appears twice")


# Shipped files do not change while the process runs.
@lru_cache(maxsize=1)
def load_all() -> dict[str, Instrument]:
    """Return the shipped instruments, by id, with the wording that is shipped. `worded` adds that of an operator."""
    shipped = sorted(
        (each for each in files("services.programmes.instruments").iterdir() if each.name.endswith(".toml")),
        key=lambda e: e.name,
    )
    loaded = [Instrument.model_validate(tomllib.loads(each.read_text(encoding="utf-8"))) for each in shipped]
    return {instrument.id: instrument for instrument in loaded}
