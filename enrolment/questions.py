"""Questions about a person that several forms of enrolment ask, and answers that several of its pages show, in the same words."""

from collections.abc import Mapping
from typing import Any

from enrolment.facts import NEEDS, CallTime, Way
from services.contracts.enrolment import Education, Employment, Heard, Occupation, Sector
from services.web.frame.form import Field, Filled, Kind
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
FISCAL_CODE = Field(
    "fiscal_code",
    N_("Tax code (codice fiscale)"),
    hint=N_("16 signs. Only if it is at hand."),
    why=N_("to recognise a person who is referred twice; no other service and no partner gets it"),
    needed=False,
    wrong=N_("Compare it with the card, sign by sign: %(label)s"),
)
WAYS = {
    Way.MAIL.value: N_("Do not write e-mails"),
    Way.SMS.value: N_("Do not send text messages"),
    Way.CALL.value: N_("Do not call"),
}
NOT_BY = Field(
    "not_by",
    N_("What the person does not want"),
    kind=Kind.CHECKBOXES,
    options=WAYS,
    hint=N_("Empty: every way is fine. At least one way has to stay open."),
    why=N_("the choice is the person's, and every message keeps to it"),
    needed=False,
)
CALL_TIMES = {
    CallTime.MORNING.value: N_("In the morning, until 13"),
    CallTime.AFTERNOON.value: N_("In the afternoon, until 17"),
    CallTime.EVENING.value: N_("After 17"),
}
CALL_AT = Field(
    "call_at",
    N_("When a call is welcome"),
    kind=Kind.CHECKBOXES,
    options=CALL_TIMES,
    hint=N_("Empty: at any time of a working day."),
    why=N_("so that nobody is called when they cannot speak"),
    needed=False,
)
EMPLOYMENTS = {
    Employment.DISMISSED.value: N_("Dismissed"),
    Employment.COLLECTIVE_DISMISSAL.value: N_("Dismissed together with colleagues (collective dismissal)"),
    Employment.CIG.value: N_("On wage supplement (cassa integrazione)"),
    Employment.FIXED_TERM_ENDED.value: N_("The contract has ended"),
    Employment.ABOUT_TO_LOSE.value: N_("About to lose the job"),
    Employment.LONG_TERM.value: N_("Without a job for more than a year"),
    Employment.OTHER.value: N_("Something else"),
}
SECTORS = {
    Sector.A.value: N_("Agriculture, forestry and fishing"),
    Sector.B.value: N_("Mining"),
    Sector.C.value: N_("Manufacturing"),
    Sector.D.value: N_("Electricity and gas"),
    Sector.E.value: N_("Water supply and waste"),
    Sector.F.value: N_("Construction"),
    Sector.G.value: N_("Shops and wholesale trade"),
    Sector.H.value: N_("Transport and storage"),
    Sector.I.value: N_("Hotels, restaurants and bars"),
    Sector.J.value: N_("Publishing, radio and television"),
    Sector.K.value: N_("Telecommunications and computing"),
    Sector.L.value: N_("Banks and insurance"),
    Sector.M.value: N_("Real estate"),
    Sector.N.value: N_("Professional, scientific and technical services"),
    Sector.O.value: N_("Services to companies, such as cleaning and security"),
    Sector.P.value: N_("Public administration"),
    Sector.Q.value: N_("Schools and training"),
    Sector.R.value: N_("Care and social services"),
    Sector.S.value: N_("Arts, sport and leisure"),
    Sector.T.value: N_("Other services to people"),
    Sector.U.value: N_("Work in families"),
    Sector.V.value: N_("International organisations"),
}
OCCUPATIONS = {
    Occupation.DIRECTORS.value: N_("Entrepreneurs and directors"),
    Occupation.PROFESSIONALS.value: N_("Professions with a university degree"),
    Occupation.TECHNICIANS.value: N_("Technicians"),
    Occupation.CLERKS.value: N_("Office work"),
    Occupation.SALES_AND_SERVICES.value: N_("Sales and services to people"),
    Occupation.CRAFTS.value: N_("Skilled manual work and farming"),
    Occupation.MACHINES.value: N_("Operators of machines and drivers"),
    Occupation.UNSKILLED.value: N_("Work that needs no qualification"),
    Occupation.ARMED_FORCES.value: N_("Armed forces"),
}
EDUCATIONS = {
    Education.PRIMARY.value: N_("Primary school, or none"),
    Education.LOWER_SECONDARY.value: N_("Lower secondary school"),
    Education.UPPER_SECONDARY.value: N_("Upper secondary school or vocational qualification"),
    Education.POST_SECONDARY.value: N_("Specialisation after secondary school"),
    Education.SHORT_TERTIARY.value: N_("Higher technical institute"),
    Education.BACHELOR.value: N_("Bachelor's degree"),
    Education.MASTER.value: N_("Master's degree"),
    Education.DOCTORATE.value: N_("Doctorate"),
}
WAYS_HERE = {
    Heard.UNION.value: N_("From a union"),
    Heard.JOB_CENTRE.value: N_("From the job centre"),
    Heard.COMPANY.value: N_("From the company"),
    Heard.SOCIAL_SERVICES.value: N_("From social services"),
    Heard.ASSOCIATION.value: N_("From an association"),
    Heard.FRIENDS.value: N_("From friends or family"),
    Heard.WEB.value: N_("On the internet"),
    Heard.PRESS.value: N_("From newspapers, radio or leaflets"),
    Heard.OTHER.value: N_("In another way"),
}
EMPLOYER = Field(
    "employer",
    N_("Company that the person worked for"),
    hint=N_("Its VAT number (partita IVA) if it is known, else its name."),
    why=N_("former colleagues can have a group of their own"),
    needed=False,
    wrong=N_("Write the name of the company, or its VAT number with all 11 figures: %(label)s"),
)
FIGURES_ONLY = N_("to show with figures whom the programme reaches; groups are not formed by it")
LOST_WORK = (
    Field(
        "employment",
        N_("Situation at work"),
        kind=Kind.SELECT,
        options=EMPLOYMENTS,
        why=N_("to show with figures whom the programme reaches; whoever is about to lose a job can take part too"),
        needed=False,
    ),
    Field(
        "months_out",
        N_("How many months ago the job was lost"),
        hint=N_("A number of months, or the month of the loss, for example 3/2026."),
        why=FIGURES_ONLY,
        needed=False,
        wrong=N_("Write a number of months, or a month such as 3/2026: %(label)s"),
    ),
    Field("years_in_job", N_("Years in that job"), kind=Kind.NUMBER, why=FIGURES_ONLY, needed=False),
    Field("sector", N_("Sector of the company"), kind=Kind.SELECT, options=SECTORS, why=FIGURES_ONLY, needed=False),
    Field("occupation", N_("Last occupation"), kind=Kind.SELECT, options=OCCUPATIONS, why=FIGURES_ONLY, needed=False),
    Field("education", N_("Highest education"), kind=Kind.SELECT, options=EDUCATIONS, why=FIGURES_ONLY, needed=False),
    Field(
        "heard",
        N_("How the person heard of the programme"),
        kind=Kind.SELECT,
        options=WAYS_HERE,
        why=N_("to know where to tell of it"),
        needed=False,
    ),
)


def leaves_a_way(filled: Filled, card: Mapping[str, str] | None = None) -> None:
    """Say at its field that at least one way to reach the person has to stay open. `card`: has the addresses; None: the form has them."""
    known = filled.values if card is None else card
    ways = {way for way, field in NEEDS.items() if known.get(field)}
    if ways and ways <= {*filled.values["not_by"]}:
        filled.wrong("not_by", N_("At least one way to reach the person has to stay open."))
        filled.errors.pop("", None)  # what the model says of the same, without a field


def reach_said(card: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """The wishes on a contact card: questions with their answers, English texts to translate. Words that are not known are left out."""
    asked = ((NOT_BY, WAYS), (CALL_AT, CALL_TIMES))
    said = (
        (each.label, [words[code] for code in card.get(each.name, "").split() if code in words])
        for each, words in asked
    )
    return [(label, answers) for label, answers in said if answers]


def lost_work_said(profile: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The lost work as a profile tells it: questions with their answers, English texts to translate; numbers as they are."""
    given = ((each, profile.get(each.name)) for each in LOST_WORK)
    return [(each.label, dict(each.options).get(str(value), str(value))) for each, value in given if value is not None]
