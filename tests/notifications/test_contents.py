"""Each kind of message, in each language, as a mail and as a text message."""

from datetime import date, datetime, timedelta, timezone
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from notifications.composing import LANGUAGES, Content, mail_of, sms_of
from notifications.domain import About
from notifications.mail_format import Mailbox, Uncomposable
from notifications.sms_format import BASIC, EXTENDED, plain, segments
from services.contracts.rights import Opening

SENDER = Mailbox("AMA Lavoro", "ama@example.org")
CARD = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org", "phone": "+393331234567"}
ROME = timezone(timedelta(hours=1))
LINK = f"https://amalavoro.provincia.mb.it/questionario/{'A_-z' * 10}AAA"
SHOWN: dict[str, Any] = {
    "first": datetime(2026, 12, 9, 18, 30, tzinfo=ROME),
    "title": "Centro civico di San Fruttuoso",
    "address": "via Montanari 2, Monza",
    "every": 14,
    "meetings": 18,
    "minutes": 120,
    "until": date(2026, 12, 14),
    "expires": datetime(2026, 12, 9, 18, 5, tzinfo=ROME),
    "link": LINK,
    "opened": date(2026, 12, 9),
    "service": "Dote lavoro",
    "organization": "AFOL Monza e Brianza",
    "programme": "AMA Lavoro",
    "reason": "complaint",
    "last": date(2026, 12, 9),
    "starts": datetime(2026, 12, 16, 18, 30, tzinfo=ROME),
    "coming": datetime(2026, 12, 23, 18, 30, tzinfo=ROME),
    "when": datetime(2026, 12, 9, 18, 30, tzinfo=ROME),
    "where": "CGIL Monza e Brianza",
    "ask": "AFOL Monza e Brianza, +39 039 0000000",
}
SAID = {
    ("seat", "it"): ("Il tuo posto in un gruppo AMA Lavoro", "mercoledì 9 dicembre 2026, alle ore 18:30"),
    ("seat", "en"): ("Your seat in an AMA Lavoro group", "Wednesday, 9 December 2026, at 18:30"),
    ("group-ended", "it"): ("Il tuo gruppo AMA Lavoro finisce prima del previsto", "dopo mercoledì 9 dicembre 2026"),
    ("group-ended", "en"): ("Your AMA Lavoro group ends earlier than planned", "after Wednesday, 9 December 2026"),
    ("group-completed", "it"): ("Il tuo gruppo AMA Lavoro ha concluso gli incontri", "con mercoledì 9 dicembre 2026"),
    ("group-completed", "en"): ("Your AMA Lavoro group has held all its meetings", "by Wednesday, 9 December 2026"),
    ("meeting-moved", "it"): (
        "Un incontro del tuo gruppo AMA Lavoro è spostato",
        "Nuova data: mercoledì 16 dicembre 2026, alle ore 18:30",
    ),
    ("meeting-moved", "en"): (
        "A meeting of your AMA Lavoro group is moved",
        "New date: Wednesday, 16 December 2026, at 18:30",
    ),
    ("meeting-added", "it"): (
        "Un incontro in più del tuo gruppo AMA Lavoro",
        "Quando: mercoledì 16 dicembre 2026, alle ore 18:30",
    ),
    ("meeting-added", "en"): (
        "One more meeting of your AMA Lavoro group",
        "When: Wednesday, 16 December 2026, at 18:30",
    ),
    ("meeting-cancelled", "it"): (
        "Un incontro del tuo gruppo AMA Lavoro non si tiene",
        "l'incontro di mercoledì 16 dicembre 2026, alle ore 18:30, non si tiene",
    ),
    ("meeting-cancelled", "en"): (
        "A meeting of your AMA Lavoro group does not take place",
        "the meeting of Wednesday, 16 December 2026, at 18:30, does not take place",
    ),
    ("interview", "it"): (
        "Il tuo colloquio di accoglienza per AMA Lavoro",
        "mercoledì 9 dicembre 2026, alle ore 18:30",
    ),
    ("interview", "en"): ("Your welcome interview for AMA Lavoro", "Wednesday, 9 December 2026, at 18:30"),
    ("self-referral", "it"): (
        "Per chiedere di partecipare ad AMA Lavoro",
        "fino a mercoledì 9 dicembre 2026, ore 18:05",
    ),
    ("self-referral", "en"): ("To ask to take part in AMA Lavoro", "until Wednesday, 9 December 2026, 18:05"),
    ("survey", "it"): ("Come va? Un breve questionario per te", "fino a lunedì 14 dicembre 2026"),
    ("survey", "en"): ("How are things? A short questionnaire for you", "until Monday, 14 December 2026"),
    ("personal-link", "it"): ("La tua pagina personale", "fino a mercoledì 9 dicembre 2026"),
    ("personal-link", "en"): ("Your personal page", "until Wednesday, 9 December 2026"),
    ("confirm-leave", "it"): ("Conferma che vuoi lasciare il percorso", "fino alle ore 18:05 di mercoledì 9 dicembre"),
    ("confirm-leave", "en"): ("Confirm that you want to leave", "until 18:05 on Wednesday, 9 December 2026"),
    ("confirm-erase", "it"): ("Conferma che vuoi cancellare i tuoi dati", "i dati non si possono recuperare"),
    ("confirm-erase", "en"): ("Confirm that you want to erase your data", "the data cannot be brought back"),
    ("record-opened", "it"): ("La tua scheda è stata aperta", "mercoledì 9 dicembre 2026 chi amministra il programma"),
    ("service-request", "it"): ("Una richiesta per il servizio Dote lavoro", "fino a mercoledì 9 dicembre 2026"),
    ("service-request", "en"): ("A request for the service Dote lavoro", "open until Wednesday, 9 December 2026"),
    ("complaint-answered", "it"): ("C'è una risposta per te", "abbiamo risposto a quello che ci hai scritto"),
    ("complaint-answered", "en"): ("There is an answer for you", "we have answered what you wrote to us"),
    ("record-opened", "en"): ("Your record was opened", "on Wednesday, 9 December 2026, somebody who administers"),
}


WITHOUT_LINK = {
    About.SEAT, About.GROUP_ENDED, About.GROUP_COMPLETED, About.INTERVIEW, About.RECORD_OPENED,
    About.MEETING_MOVED, About.MEETING_ADDED, About.MEETING_CANCELLED,
}  # fmt: skip


def content(about: str, language: str = "it", **more: Any) -> Content:
    return Content("019ce2f4", about, CARD | {"language": language}, SHOWN | more)


def test_there_is_a_text_for_every_kind_in_every_language() -> None:
    assert SAID.keys() == {(about.value, language) for about in About for language in LANGUAGES}


@pytest.mark.parametrize(("about", "language"), SAID)
def test_a_mail_says_in_the_persons_language_what_it_is_about_and_whom_to_ask(about: str, language: str) -> None:
    mail = message_from_bytes(mail_of(content(about, language), SENDER).data, _class=EmailMessage, policy=default)
    subject, part = SAID[about, language]
    body = mail.get_content()
    assert (mail["Subject"], mail["Content-Language"]) == (subject, language)
    assert part in body
    assert "AFOL Monza e Brianza, +39 039 0000000" in body
    assert body.rstrip().endswith("AMA Lavoro")
    assert (LINK in body.splitlines()) is (about not in WITHOUT_LINK), "the link stands on a line of its own"
    assert "\n\n\n" not in body


@pytest.mark.parametrize(("about", "language"), SAID)
def test_a_text_message_is_in_the_alphabet_of_every_telephone_and_has_two_segments_at_most(
    about: str, language: str
) -> None:
    sms = sms_of(content(about, language))
    assert set(sms.text) <= BASIC | EXTENDED
    assert segments(sms.text) <= 2, f"{len(sms.text)} characters"
    assert sms.text.startswith("AMA Lavoro: ")
    assert (LINK in sms.text.split()) is (about not in WITHOUT_LINK)
    assert "Ada" not in sms.text, "a telephone shows it to whoever looks at it"


@pytest.mark.parametrize("reason", list(Opening))
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_reason_of_an_opening_is_said_in_words(reason: Opening, language: str) -> None:
    made = content("record-opened", language, reason=reason.value)
    assert segments(sms_of(made).text) <= 2
    others = [content("record-opened", language, reason=each.value).rendered("txt") for each in Opening]
    assert len({*others}) == len(Opening)


def test_a_long_place_is_cut_so_that_the_rest_is_told() -> None:
    sms = sms_of(content("seat", title="Sala " * 40, address="via Lunghissima " * 20))
    assert segments(sms.text) <= 2
    assert sms.text.endswith("dillo a chi ti ha accolto.")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("È così: «Ca\u2019 Rossa» \u2013 Muggiò…", 'E così: "Ca\' Rossa" - Muggiò...'),
        ("Łódź", "Łodz"),
        ("Жал", "Жал"),
        ("a\nb\r\u202ec", "a b c"),
    ],
)
def test_what_the_alphabet_lacks_is_written_like_it_and_another_script_as_it_is(written: str, sent: str) -> None:
    assert plain(written) == sent


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("Ж" * 70, 1),
        ("Ж" * 71, 2),
        ("Ж" * 134, 2),
        ("Ж" * 135, 3),
        ("\U0001f600" * 36, 2),
    ],
)
def test_segments_are_counted_as_networks_do(text: str, number: int) -> None:
    assert segments(text) == number


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ("+390391234567", "no-mobile"),
        ("333 1234567", "no-address"),
        ("", "no-address"),
        ("+39333123\n4567", "no-address"),
        ("+000000000", "no-address"),
    ],
)
def test_a_number_that_takes_no_text_message_says_why(phone: str, reason: str) -> None:
    told = Content("m", "survey", CARD | {"phone": phone}, SHOWN)
    with pytest.raises(Uncomposable, match=reason):
        sms_of(told)


def test_a_content_shows_nothing_of_the_person_in_a_log() -> None:
    assert (repr(content("survey")), repr(sms_of(content("survey")))) == ("Content(019ce2f4)", "Sms(019ce2f4)")
