"""The decisions about one person that have a page: their form, the command behind it, and what they mean for the person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from enrolment import commands as do
from enrolment.domain import ENDED, ENROLLED, OPEN
from enrolment.people import forms, steps
from enrolment.people.commands import Interview, interview
from enrolment.queries import Person
from services.contracts.enrolment import Purpose
from services.kernel import Command
from services.programmes import Programme
from services.web.frame.form import Filled, Form
from services.web.frame.texts import N_


@dataclass(frozen=True, slots=True)
class Deed:
    """One decision. `name`: the last part of its address. `means`: sentences on what will happen. `barred`: the code of the refusal that a
    person's state would get; None while it is possible. `checks`: the answers are shown again before it is done. `danger`: it ends
    something, and cannot be undone. `replaces`: it replaces what the page had shown, so that a change meanwhile has to be seen.
    `parts`: headings by the field before which each stands."""

    name: str
    title: str
    button: str
    description: str
    form: Form
    handler: Callable[..., Any]
    checked: Callable[[Filled], Any]
    command: Callable[[str, Any, Programme], Command]
    before: Callable[[Person, Programme], Mapping[str, Any]]
    barred: Callable[[Person], str | None]
    means: tuple[str, ...] = ()
    checks: bool = False
    danger: bool = False
    replaces: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)


def _nothing(_: Person, __: Programme) -> Mapping[str, Any]:
    return {}


def _to_decide(person: Person) -> str | None:
    return None if person.status in OPEN else "not-referred"


def _booked(person: Person, rules: Programme) -> Mapping[str, Any]:
    if person.interview is None:
        return {}
    when = person.interview.when.astimezone(rules.zone)
    return {
        "date": f"{when.day}/{when.month}/{when.year}",
        "hour": f"{when:%H:%M}",
        "place": person.interview.place or "",
    }


def _interview(worker: str, body: steps.Interview, rules: Programme) -> Command:
    return Interview(
        worker=worker,
        result=body.result,
        reason=body.declining,
        profile=body.profile,
        given=body.given,
        notice=body.notice,
        language=body.language,
        how=body.how,
        at=forms.moment_of(body.day, rules),
    )


def _before_interview(person: Person, rules: Programme) -> Mapping[str, Any]:
    return {**_known_profile(person, rules), **_notice(person, rules)}


def _to_admit(person: Person) -> str | None:
    if person.status not in OPEN:
        return "not-referred"
    return None if person.consents.get(Purpose.PARTICIPATION, {}).get("given") else "no-consent"


def _decision(worker: str, body: forms.Decision, rules: Programme) -> Command:
    at = forms.moment_of(body.day, rules)
    return do.DecideConsent(
        worker=worker, given=body.given, notice=body.notice, language=body.language, how=body.how, at=at
    )


def _notice(_: Person, rules: Programme) -> Mapping[str, Any]:
    return {"notice": rules.notice.version, "language": rules.notice.languages[0]}


def _known_profile(person: Person, _: Programme) -> Mapping[str, Any]:
    known = person.profile or {"travel_km": 15.0, **(person.sketch or {})}
    # JSON has no day: what was stored as text is typed as a day.
    not_before = known.get("not_before")
    day = date.fromisoformat(not_before) if not_before else None
    return forms.typed(**{**known, "not_before": day}, seen=person.version)


_AGREED = N_("The organisation that referred them is told nothing of this.")
DEEDS = (
    Deed(
        name="contatto",
        title=N_("Record a contact"),
        button=N_("Record the contact"),
        description="Record that somebody tried to reach the person, and if they answered. 409 not-referred, out-of-order.",
        form=steps.CONTACT,
        handler=do.try_contact,
        checked=lambda filled: filled.checked(steps.Contact),
        command=lambda worker, body, rules: do.TryContact(
            worker=worker, how=body.how, reached=body.reached == "yes", at=forms.moment_of(body.day, rules)
        ),
        before=_nothing,
        barred=_to_decide,
        means=(
            N_("A try in vain is kept, and the person stays among those to contact."),
            N_("Once the person has answered, the welcome interview is to be booked."),
            _AGREED,
        ),
    ),
    Deed(
        name="appuntamento",
        title=N_("Book the welcome interview"),
        button=N_("Book the interview"),
        description="Book the welcome interview, or move it. 409 not-referred, out-of-order, programme-over, partner-retired.",
        form=steps.BOOKING,
        handler=do.book,
        checked=lambda filled: filled.checked(steps.Booking),
        command=lambda worker, body, rules: do.Book(worker=worker, when=body.when(rules), place=body.place),
        before=_booked,
        barred=_to_decide,
        means=(
            N_("An interview that was booked before is moved."),
            N_("The person gets a message with day, time and place, if they consent to messages."),
            _AGREED,
        ),
    ),
    Deed(
        name="svolto",
        title=N_("The welcome interview took place"),
        button=N_("Record the interview"),
        description="Record that the welcome interview took place. 409 not-referred, out-of-order.",
        form=forms.INTERVIEW,
        handler=do.hold,
        checked=lambda filled: filled.checked(forms.Dated),
        command=lambda worker, body, rules: do.Hold(worker=worker, at=forms.moment_of(body.day, rules)),
        before=_nothing,
        barred=_to_decide,
        means=(N_("It remains to be decided if the person is admitted."), _AGREED),
    ),
    Deed(
        name="colloquio",
        title=N_("Welcome interview"),
        button=N_("Save the interview"),
        description="Record an interview as a whole: consents, profile and result. 409 as of its parts.",
        form=steps.WHOLE_INTERVIEW,
        handler=interview,
        checked=steps.Interview.of,
        command=_interview,
        before=_before_interview,
        barred=_to_decide,
        means=(
            N_("Each consent is a choice of its own. What is left open stays as it is."),
            N_("Who is admitted needs the consent to take part."),
        ),
        checks=True,
        replaces=True,
        parts={"participation": N_("Consents"), "municipality": N_("Profile"), "result": N_("Result")},
    ),
    Deed(
        name="ammissione",
        title=N_("Admit the person"),
        button=N_("Admit the person"),
        description="Admit after the welcome interview. 409 not-referred, no-consent, out-of-order, programme-over.",
        form=forms.INTERVIEW,
        handler=do.admit,
        checked=lambda filled: filled.checked(forms.Dated),
        command=lambda worker, body, rules: do.Admit(worker=worker, at=forms.moment_of(body.day, rules)),
        before=_nothing,
        barred=_to_admit,
        means=(
            N_("The person takes part in the programme."),
            N_("With a complete profile they wait for a place in a group from then on."),
            N_(
                "The organisation that referred them is told, if the person consents to that and its agreement names it."
            ),
        ),
        checks=True,
    ),
    Deed(
        name="rifiuto",
        title=N_("The person does not take part"),
        button=N_("Close the referral"),
        description="Record that somebody is not admitted, or does not want to be. 409 not-referred, out-of-order.",
        form=steps.REFUSAL,
        handler=do.decline,
        checked=lambda filled: filled.checked(steps.Refusal),
        command=lambda worker, body, rules: do.Decline(
            worker=worker, reason=body.reason, at=forms.moment_of(body.day, rules)
        ),
        before=_nothing,
        barred=_to_decide,
        means=(
            N_("The referral is closed: the person gets no place in a group and no more messages about it."),
            N_(
                "The organisation that referred them is told, if the person consents to that and its agreement names it."
            ),
            N_("The data stay until the person asks for their deletion, or the time for keeping them is over."),
        ),
        danger=True,
    ),
    Deed(
        name="uscita",
        title=N_("The person leaves the programme"),
        button=N_("Record that the person leaves"),
        description="Record that somebody leaves, with the reason. 409 not-enrolled, out-of-order.",
        form=forms.EXIT,
        handler=do.withdraw,
        checked=lambda filled: filled.checked(forms.Exit),
        command=lambda worker, body, rules: do.Withdraw(
            worker=worker, reason=body.reason, at=forms.moment_of(body.day, rules)
        ),
        before=_nothing,
        barred=lambda person: None if person.status in ENROLLED else "not-enrolled",
        means=(
            N_("The seat in a group, if there is one, is free again; the person is not on later roll-calls."),
            N_("The person gets no more messages about meetings, and no more questionnaires."),
            N_(
                "Apart from whether the person found work, the reason is told to nobody: it counts in the figures alone."
            ),
        ),
        danger=True,
    ),
    Deed(
        name="consensi",
        title=N_("Record consents"),
        button=N_("Record the decisions"),
        description="Record what a person decided, and how they said so. 409 out-of-order · 422 no-such-notice, no-such-language.",
        form=forms.CONSENTS,
        handler=do.decide_consent,
        checked=forms.Decision.of,
        command=_decision,
        before=_notice,
        barred=lambda _: None,
        means=(
            N_("Each purpose is a choice of its own. What is left open stays as it is."),
            N_("Whoever was admitted and withdraws the consent to take part leaves the programme."),
        ),
        checks=True,
    ),
    Deed(
        name="dati",
        title=N_("Correct the data"),
        button=N_("Save the data"),
        description="Correct name, contact and language. 412 changed-meanwhile.",
        form=steps.CORRECTED_CARD,
        handler=do.correct,
        checked=lambda filled: steps.with_reason(filled, forms.Card.of),
        command=lambda worker, body, _: do.Correct(worker=worker, card=body.body.filled(), reason=body.why),
        before=lambda person, _: {"language": "it", **forms.Card.before(person.card), "seen": str(person.version)},
        barred=lambda _: None,
        replaces=True,
    ),
    Deed(
        name="profilo",
        title=N_("Profile for the groups"),
        button=N_("Save the profile"),
        description="Replace the profile. 409 slot-retired, municipality-retired · 412 changed-meanwhile · 422 no-such-slot, no-employer.",
        form=steps.CORRECTED_PROFILE,
        handler=do.describe,
        checked=lambda filled: steps.with_reason(filled, lambda form: form.checked(forms.Profile), needed=False),
        command=lambda worker, body, _: do.Describe(worker=worker, profile=body.body.profiled(), reason=body.why),
        before=_known_profile,
        barred=lambda _: None,
        means=(N_("Groups are formed from this. A person without a profile is in no proposal."),),
        checks=True,
        replaces=True,
    ),
    Deed(
        name="rientro",
        title=N_("The person comes back"),
        button=N_("Record that the person comes back"),
        description="Begin the way again of somebody who was declined or had left. 409 not-ended, out-of-order, programme-over.",
        form=steps.RETURN,
        handler=do.come_back,
        checked=lambda filled: filled.checked(forms.Dated),
        command=lambda worker, body, rules: do.ComeBack(worker=worker, at=forms.moment_of(body.day, rules)),
        before=_nothing,
        barred=lambda person: None if person.status in ENDED else "not-ended",
        means=(
            N_("The way begins again with a contact. What happened before stays in the history."),
            N_("Data, profile and consents stay as they are. Ask if they still hold."),
        ),
    ),
    Deed(
        name="date",
        title=N_("Correct the date of a step"),
        button=N_("Correct the date"),
        description="Correct the date of a step. 409 no-such-step, out-of-order, programme-over.",
        form=steps.REDATING,
        handler=do.redate,
        checked=lambda filled: filled.checked(steps.Redating),
        command=lambda worker, body, rules: do.Redate(
            worker=worker, step=body.step, reason=body.why, at=forms.moment_of(body.day, rules)
        ),
        before=_nothing,
        barred=lambda person: None if person.dated else "no-such-step",
        means=(
            N_("The figures, the questionnaires that nobody was invited to yet, and the history use the new date."),
            N_("The reason stays in the history, where operators read it."),
        ),
    ),
)
