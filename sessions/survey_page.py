"""A survey as a form: a question for each item, with the wording of the instrument and the labels of its answers.

Invariant: an answer is judged by the instrument alone, on the page as by the API; all mistakes are named at once, and no answer is lost.
"""

import re
from collections.abc import Mapping
from math import nan
from typing import Any

from services.programmes.instruments import Instrument, Mistake
from services.web.frame import Field, Filled, Form, Kind
from services.web.frame.texts import N_

STEPS = 20  # with more answers to choose from, the page has a number field
NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
LONGEST = 40  # characters of one answer
SAID = {
    Mistake.UNANSWERED: N_("There is no answer: %(label)s"),
    Mistake.OUT_OF_RANGE: N_("The answer goes from %(least)s to %(most)s: %(label)s"),
}


def language_for(instrument: Instrument, reader: str) -> str:
    """The language of the questions: the reader's, else Italian, else any that the instrument has."""
    return next(each for each in (reader, "it", *instrument.languages) if each in instrument.languages)


def form_of_survey(instrument: Instrument, language: str) -> Form:
    """The form, with the questions in this language."""
    options = _options(instrument, language)
    return Form(
        *(
            Field(
                item.id,
                item.text[language],
                kind=Kind.RADIOS if options else Kind.NUMBER,
                options=options,
                hint=None if options else f"{instrument.least:g}-{instrument.most:g}",
            )
            for item in instrument.items
        )
    )


def answers_of(filled: Filled) -> dict[str, float]:
    """The answers that were given, by item; NaN, which no instrument takes, for what is no number."""
    given: Mapping[str, Any] = filled.values
    return {item: number(text[:LONGEST]) for item, text in given.items() if isinstance(text, str) and text}


def judge(filled: Filled, instrument: Instrument, answers: Mapping[str, float]) -> bool:
    """Note the mistake of each answer at its question, in the order of the questions. True when there is none."""
    mistakes = instrument.mistakes(answers)
    limits = {"least": f"{instrument.least:g}", "most": f"{instrument.most:g}"}
    for name in filled.form.fields:
        if name in mistakes:
            filled.wrong(name, SAID[mistakes[name]], **limits)
    return not filled.errors


def number(text: str) -> float:
    """The number that was typed, with comma or point; NaN for anything else."""
    # `float` alone would accept 1_0, and the digits of other scripts.
    return float(text.replace(",", ".")) if NUMBER.fullmatch(text) else nan


def _options(instrument: Instrument, language: str) -> dict[str, str]:
    """The answers to choose from, with their labels; none when any number between the limits is allowed."""
    least, most = int(instrument.least), int(instrument.most)
    if instrument.continuous or most - least > STEPS:
        return {}
    labels = instrument.answers.get(language)
    steps = range(least, most + 1)
    return {str(step): labels[step - least] if labels else str(step) for step in steps}
