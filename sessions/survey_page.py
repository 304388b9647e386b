"""The HTML of the survey page, from an instrument, the answers so far and their mistakes. It has no script and loads nothing from
other sites, so it works on any telephone and with any screen reader.

Invariant: every answer is shown again, and nothing that a visitor typed is shown unescaped.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from fastapi.responses import HTMLResponse

from services.programmes.instruments import Instrument
from services.web.site import Site
from sessions.wording import LANGUAGES, WORDS

STEPS = 20  # with more answers to choose from, the page has a number field


@lru_cache(maxsize=1)
def _site() -> Site:
    return Site("sessions", LANGUAGES, WORDS)


def _page(template: str, status: int, language: str, **shown: Any) -> HTMLResponse:
    body = _site().part(template, language, languages=LANGUAGES, **shown)
    return HTMLResponse(body, status, {"Content-Language": language})


def notice(says: str, language: str, status: int = 200) -> HTMLResponse:
    """A page with one sentence, named by its key in `WORDS`."""
    return _page("page.html", status, language, says=says)


def form(
    instrument: Instrument,
    due: date,
    language: str,
    given: Mapping[str, str],
    wrong: Mapping[str, str],
    says: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    """A page with the questions. `given` holds answers and `wrong` mistakes, by item; `says` is the sentence above them all."""
    return _page(
        "survey.html",
        status,
        language,
        instrument=instrument,
        questions=[
            _question(item.id, item.text, language) | {"required": not instrument.may_be_left(item.id)}
            for item in instrument.items
        ],
        steps=_steps(instrument),
        limits=_limits(instrument, language),
        due=due,
        given=given,
        wrong=wrong,
        says=says,
    )


def _question(id: str, text: Mapping[str, str], language: str) -> dict[str, Any]:
    """The question in this language, else in another one, else its id."""
    lang = language if language in text else next(iter(text), language)
    return {"id": id, "text": text.get(lang, id), "lang": lang}


def _limits(instrument: Instrument, language: str) -> dict[str, str]:
    """The least and the most answer, with their labels where the instrument has them."""
    least, most = f"{instrument.least:g}", f"{instrument.most:g}"
    if language not in instrument.ends:
        return {"least": least, "most": most}
    low, high = instrument.ends[language]
    return {"least": f"{least} ({low})", "most": f"{most} ({high})"}


def _steps(instrument: Instrument) -> list[str]:
    """The answers to choose from; none when any number between the limits is allowed."""
    least, most = int(instrument.least), int(instrument.most)
    if instrument.continuous or most - least > STEPS:
        return []
    return [str(step) for step in range(least, most + 1)]
