"""Times of the week in the words of the reader, for answers that a form offers."""

from fastapi import Request

from services.programmes.model import Slot
from services.web.frame import Frame
from services.web.frame.dates import the_weekday
from services.web.frame.texts import LANGUAGES, N_
from services.web.pages import language_of

WHEN = N_("%(weekday)s, at %(time)s")


def slot_in_words(request: Request, frame: Frame, slot: Slot) -> str:
    """The weekday and the hour of a slot, as: il lunedì, ore 18:30."""
    language = language_of(request, LANGUAGES)
    return frame.text(language, WHEN, weekday=the_weekday(slot.isoweekday, language), time=f"{slot.at:%H:%M}")
