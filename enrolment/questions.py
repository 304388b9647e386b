"""Questions about a person that several forms of enrolment ask, and answers that several of its pages show, in the same words."""

from services.web.frame.form import Field, Kind
from services.web.frame.texts import N_

LANGUAGES = {"it": N_("Italian"), "en": N_("English")}  # in which messages are written
GENDERS = {"f": N_("Woman"), "m": N_("Man"), "x": N_("Other, or not said")}
BIRTH_YEAR = Field(
    "birth_year",
    N_("Year of birth"),
    kind=Kind.NUMBER,
    hint=N_("Four figures, for example 1971."),
    why=N_("to form groups in which nobody is alone of their age"),
    needed=False,
)
GENDER = Field(
    "gender",
    N_("Gender"),
    kind=Kind.RADIOS,
    options=GENDERS,
    why=N_("to form groups in which nobody is alone of their gender"),
    needed=False,
)
