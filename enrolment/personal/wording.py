"""The words of a worker's own page: steps, consents, reasons of leaving, and what somebody looked at."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from enrolment import questions
from enrolment.domain import Consent, Status
from enrolment.personal.held_words import held_as
from enrolment.personal.queries import Me
from enrolment.personal.refusals import SENTENCES
from services.contracts.enrolment import How, Leaving, Purpose
from services.contracts.rights import Opening
from services.identity.auth import Role
from services.programmes import Programme
from services.web.frame import Frame, dates
from services.web.frame.texts import N_

FRAME = Frame("enrolment.personal", refusals=SENTENCES)
STATUS: Mapping[Status, str] = {
    Status.REFERRED: N_(
        "You have asked to take part, or somebody has told us about you. Next comes the welcome interview: we call you."
    ),
    Status.CONTACTED: N_("We have spoken with you. Next comes the welcome interview: we agree on a day."),
    Status.BOOKED: N_("The welcome interview is booked. If you cannot come, tell us: we find another day."),
    Status.INTERVIEWED: N_("You have had the welcome interview. We tell you soon how it goes on."),
    Status.ADMITTED: N_(
        "You are in the programme. As soon as there is a group that suits you, we tell you where and when it meets."
    ),
    Status.DECLINED: N_("You do not take part in the programme. If you change your mind, ask us."),
    Status.WITHDRAWN: N_("You have left the programme. If you want to come back, ask us."),
    Status.MERGED: N_("Your data are kept together with those of another request of yours. Ask us for a new link."),
    Status.ERASED: SENTENCES["erased"],
}
CONSENTS: Mapping[Purpose, tuple[str, str]] = {
    Purpose.PARTICIPATION: (
        N_("Take part in the programme"),
        N_("We use your data to welcome you and to find a group for you. Without this consent you cannot take part."),
    ),
    Purpose.CONTACT: (
        N_("Receive messages"),
        N_(
            "We write to you by e-mail or text message: about your place, the meetings and this page. Without it you get none."
        ),
    ),
    Purpose.RESEARCH: (
        N_("Help to understand if the programme works"),
        N_(
            "We send you short questionnaires, and put your answers together with those of others. You take part also without it."
        ),
    ),
    Purpose.PARTNER_FEEDBACK: (
        N_("Let those who told us about you know how it goes"),
        N_("They learn if you take part, and never if you come to the meetings. You take part also without it."),
    ),
}
HOW: Mapping[str, str] = {
    How.IN_PERSON.value: N_("said face to face"),
    How.SIGNED_PAPER.value: N_("signed on paper"),
    How.BY_LINK.value: N_("chosen by you on this page"),
}
REASONS: Mapping[str, str] = {
    Leaving.FOUND_WORK.value: N_("I found work"),
    Leaving.NO_TIME.value: N_("I do not have the time"),
    Leaving.ILLNESS.value: N_("My health does not allow it"),
    Leaving.MOVED_AWAY.value: N_("I moved away"),
    Leaving.CONSENT_WITHDRAWN.value: N_("I do not want my data to be used for the programme any more"),
    Leaving.OTHER.value: N_("Another reason, or I prefer not to say"),
}
OPENING: Mapping[str, str] = {
    Opening.PERSON_ASKED.value: N_("The person asked for it"),
    Opening.COMPLAINT.value: N_("To answer a complaint"),
    Opening.FAULT.value: N_("To find or mend a technical fault"),
    Opening.AUTHORITY.value: N_("An authority or a court ordered it"),
    Opening.SAFETY.value: N_("To protect somebody's life or safety"),
}
# Readers, by the role with which they signed in.
READERS: Mapping[str, str] = {
    Role.OPERATOR.value: N_("Somebody who welcomes and follows people in the programme"),
    Role.ADMINISTRATOR.value: N_("Somebody who administers the programme"),
    Role.FACILITATOR.value: N_("Who facilitates your group"),
    Role.REFERRER.value: N_("Somebody at the organisation that told us about you"),
    Role.COORDINATOR.value: N_("Somebody who coordinates the programme"),
    Role.PARTNER_SYSTEM.value: N_("The computer system of an organisation of the network"),
    Role.SYSTEM_OPERATOR.value: N_("Somebody who looks after the system"),
}
OTHER_READER = N_("Somebody of the programme")
# What was looked at, by the purpose in the log; of a purpose that names a group or meeting, by its first words.
LOOKED_AT: Mapping[str, str] = {
    "person": N_("your page: data, consents, profile"),
    "profile": N_("your profile, to change it"),
    "own referrals": N_("your name, in the list of the people whom they told us about"),
    "search": N_("your name, in a search"),
    "list of people": N_("your name, in a list of people"),
    "agenda": N_("your name, in the list of welcome interviews"),
    "names of group": N_("your name, in the list of your group"),
    "group": N_("your profile, to see if you could sit in a group"),
    "new group": N_("your profile, to form a group"),
    "proposal": N_("your profile, to propose groups"),
    "seat": N_("whether you have a place in a group"),
    "today": N_("your code, in the list of what has to be done"),
    "seats": N_("your profile, to find a place for you"),
    "pairs": N_("with whom you had better sit, or not"),
    "session": N_("whether you came to a meeting"),
    "surveys": N_("which questionnaires are open for you"),
    "messages": N_("which messages we sent you"),
    "opened person-asked": N_("all your data, because you asked for it"),
    "opened complaint": N_("all your data, to answer a complaint"),
    "opened fault": N_("all your data, to find or mend a technical fault"),
    "opened authority": N_("all your data, because an authority had ordered it"),
    "opened safety": N_("all your data, to protect somebody's life or safety"),
    "opened": N_("all your data, for a special reason"),  # of a later version
    "export": N_("all your data, to give you a copy of them"),
    "request": N_("your request to another service: name and contact alone, if you agreed to that"),
    "requests": N_("to which other services we have asked for you"),
    "outcomes": N_("how things went for you after the programme"),
    "complaint": N_("what you wrote to us when something went wrong, without your name"),
    "link": N_("if we can write to you, to send you your link"),
}
PARTS: Mapping[str, str] = {
    "grouping": N_("groups"),
    "sessions": N_("meetings and questionnaires"),
    "notifications": N_("messages"),
    "analytics": N_("statistics"),
}  # what the other services are for
OTHER_DATA = N_("other data about you")
HISTORY: Mapping[str, str] = {
    "referred": N_("You were referred to the programme"),
    "tried": N_("Somebody of the programme tried to reach you, or spoke with you"),
    "booked": N_("Your welcome interview got a time"),
    "held": N_("Your welcome interview took place"),
    "returned": N_("You came back to the programme"),
    "redated": N_("The date of a step was corrected"),
    "merged": N_("This record was joined with another one of yours"),
    "admitted": N_("You were admitted to the programme"),
    "declined": N_("It was noted that you do not take part"),
    "withdrawn": N_("You left the programme"),
    "corrected": N_("Your name or address was corrected"),
    "consent": N_("You decided on a consent"),
    "waiting": N_("You began to wait for a group"),
    "seated": N_("You got a place in a group"),
    "left": N_("Your place in a group ended"),
}


def looked_at(purpose: str) -> str:
    """Tell what a purpose of the log means, as an English text to translate."""
    known = (words for start, words in LOOKED_AT.items() if purpose == start or purpose.startswith(f"{start} "))
    return next(known, OTHER_DATA)


# Fields that are shown in words of their own; any other is shown as it is, so that a new one is never left out.
OWN_WORDS: Mapping[str, str] = {
    questions.NOT_BY.label: N_("What you do not want"),
    "How the person heard of the programme": N_("How you heard of the programme"),
}  # questions of forms about the person, as the person reads them
SHOWN_OF_CARD = frozenset(
    {"given_name", "family_name", "email", "phone", "language", questions.NOT_BY.name, questions.CALL_AT.name}
)
SHOWN_OF_PROFILE = frozenset(
    {"municipality", "slots", "travel_km", "birth_year", "gender", "needs_access", "employer", "not_before"}
    | {each.name for each in questions.LOST_WORK}
)
Answers = list[tuple[str, Any]]  # questions, as English texts to translate, with answers in the reader's language


def identity(me: Me, language: str) -> Answers:
    """List who the person is, and how to reach them."""
    card = me.card
    spoken = questions.LANGUAGES["en" if card.get("language") == "en" else "it"]
    return [
        (N_("Given name"), card.get("given_name")),
        (N_("Family name"), card.get("family_name")),
        (N_("E-mail address"), card.get("email")),
        (N_("Telephone number"), card.get("phone")),
        (N_("Language of the messages"), FRAME.text(language, spoken)),
        *(
            (OWN_WORDS.get(label, label), dates.listed([FRAME.text(language, each) for each in answers], language))
            for label, answers in questions.reach_said(card)
        ),
        *((held_as(name), text) for name, text in card.items() if name not in SHOWN_OF_CARD),
    ]


def profile(me: Me, rules: Programme, language: str) -> Answers:
    """List what is used to find a group; while there is no profile, what a referrer knew of it."""
    known = me.profile or me.sketch or {}
    town = rules.municipality(known.get("municipality") or "")
    gender = questions.GENDERS.get(known.get("gender") or "")
    travels, starts = known.get("travel_km"), known.get("not_before")
    return [
        (N_("Municipality"), town.name if town else known.get("municipality")),
        (N_("Times at which you can come"), dates.listed(_slots(known, rules, language), language)),
        (N_("How far you can travel"), f"{dates.number(travels, language)} km" if travels else None),
        (N_("Year of birth"), known.get("birth_year")),
        (N_("Gender"), FRAME.text(language, gender) if gender else None),
        (N_("Place without steps"), FRAME.text(language, N_("needed")) if known.get("needs_access") else None),
        (N_("Company where you worked"), known.get("employer")),
        (N_("Not before"), dates.day(date.fromisoformat(starts), language) if starts else None),
        *(
            (OWN_WORDS.get(label, label), FRAME.text(language, answer))
            for label, answer in questions.lost_work_said(known)
        ),
        *((held_as(name), each) for name, each in known.items() if name not in SHOWN_OF_PROFILE and each is not None),
    ]


def _slots(known: Mapping[str, Any], rules: Programme, language: str) -> Iterator[str]:
    for each in known.get("slots") or ():
        slot = rules.slot(each)
        if slot is None:
            yield str(each)
        else:
            day = dates.the_weekday(slot.isoweekday, language)
            yield FRAME.text(language, N_("%(weekday)s at %(time)s"), weekday=day, time=f"{slot.at:%H:%M}")


def decided(me: Me) -> dict[str, Consent]:
    """The decisions that count, by purpose."""
    return {purpose: Consent.model_validate(each) for purpose, each in me.consents.items()}
