"""Forms of pages: everything typed is kept, a mistake has the same words above and at the field, a form is one submission."""

import re

import httpx
import pytest

from services.kernel import Refused
from services.web.frame import Field, Form, Frame, Kind
from services.web.frame.form import _iso
from tests.web.framed import FORM, Person, pages_client

RIGHT = {"name": "Ada", "slots.mon": "yes"}


async def sent(**typed: str) -> httpx.Response:
    return await pages_client().post(
        "/persone/nuova", data={name.replace("__", "."): text for name, text in typed.items()}
    )


def alone(html: str) -> str:
    return re.sub(r"\s+", " ", html)


async def test_a_form_that_is_right_goes_on_and_its_body_can_still_be_told_from_another() -> None:
    answer = await pages_client().post("/persone/nuova", data=RIGHT)
    assert (answer.status_code, answer.headers["location"]) == (303, "/persone")


async def test_every_mistake_is_named_above_with_a_link_and_at_its_field_in_the_same_words() -> None:
    answer = await sent(born="1850", since="domani", slots__tue="yes")
    assert answer.status_code == 422
    html = alone(answer.text)
    assert "<title>Errore: Persone - AMA Lavoro</title>" in html
    assert "Ci sono 2 errori" in html
    for field, words in (("name", "Da compilare: Persone"), ("born", "Scrivere un numero non minore di 1900: Numero")):
        assert f'<a href="#{field}">{words}</a>' in html
        assert re.search(rf'id="{field}-wrong">.{{0,80}}{re.escape(words)}</p>', html)
        assert re.search(rf'id="{field}"[^>]*aria-describedby="[^"]*{field}-wrong[^"]*"[^>]*aria-invalid="true"', html)
    assert "autofocus" in html.split('class="error-summary"')[1].split(">")[0]


async def test_what_was_typed_is_shown_again_and_never_as_markup() -> None:
    html = alone((await sent(name="", born="<i>3", since="31/2/2026 circa", slots__tue="yes")).text)
    assert 'value="&lt;i&gt;3"' in html
    assert 'value="31/2/2026 circa"' in html
    assert re.search(r'name="slots\.tue" value="yes" checked', html)
    assert not re.search(r'name="slots\.mon" value="yes" checked', html)
    assert "lunedì &lt;sera&gt;" in html


async def test_nothing_chosen_is_said_in_the_words_of_a_choice() -> None:
    html = alone((await sent(name="Ada")).text)
    assert '<a href="#slots">Scegliere una risposta: Incontri</a>' in html
    assert re.search(r'<fieldset[^>]*aria-describedby="slots-wrong"', html)
    assert 'id="slots"' in html


async def test_an_answer_that_is_not_offered_is_refused() -> None:
    html = alone((await sent(name="Ada", slots__sun="yes")).text)
    assert "Scegliere una delle risposte proposte: Incontri" in html


async def test_the_refusal_of_a_rule_is_a_mistake_at_its_field() -> None:
    html = alone((await sent(name="full", slots__mon="yes")).text)
    assert '<a href="#name">The group has 15 people already.</a>' in html


async def test_the_same_words_are_in_the_language_of_the_reader() -> None:
    client = pages_client()
    html = alone((await client.post("/persone/nuova?lang=en", data={"slots.mon": "yes"})).text)
    assert '<a href="#name">Fill in: People</a>' in html
    assert "There is a mistake" in html


async def test_a_form_has_a_key_by_which_it_is_one_submission_and_keeps_it() -> None:
    client = pages_client()
    key = re.search(r'name="once" value="([^"]{22})"', (await client.get("/persone/nuova")).text)
    assert key is not None
    again = (await client.post("/persone/nuova", data={"once": key[1]})).text
    assert f'name="once" value="{key[1]}"' in again
    forged = (await client.post("/persone/nuova", data={"once": "<b>"})).text
    assert f'name="once" value="{key[1]}"' not in forged
    assert "&lt;b&gt;" not in forged


@pytest.mark.parametrize(
    ("kind", "typed", "understood"),
    [
        (Kind.DAY, "27/3/2026", "2026-03-27"),
        (Kind.DAY, "7.12.2026", "2026-12-07"),
        (Kind.DAY, "2026-03-27", "2026-03-27"),
        (Kind.DAY, "domani", "domani"),
        (Kind.TIME, "18:30", "18:30"),
        (Kind.TIME, "18.30", "18:30"),
        (Kind.TIME, "9", "09:00"),
        (Kind.TIME, "sera", "sera"),
        (Kind.NUMBER, "3,5", "3.5"),
    ],
)
def test_days_times_and_numbers_are_understood_as_italians_write_them(kind: Kind, typed: str, understood: str) -> None:
    assert _iso(kind, typed) == understood


def test_a_form_nobody_filled_in_has_its_values_and_no_mistakes() -> None:
    form = FORM.empty(name="Ada", slots=["mon"])
    assert (form.values["name"], form.values["slots"], form.values["born"], form.errors) == ("Ada", ["mon"], "", {})


def test_what_is_known_besides_the_form_is_checked_with_it() -> None:
    form = Form(Field("name", "Name")).empty(name="Ada")
    assert form.checked(Person, slots=["mon"]) == Person(name="Ada", slots=["mon"])


def test_a_mistake_in_what_the_form_does_not_ask_stands_above_it() -> None:
    form = Form(Field("name", "Name")).empty(name="Ada")
    assert form.checked(Person) is None
    assert list(form.errors) == [""]


def test_a_refusal_without_a_sentence_is_said_in_general_words() -> None:
    form = FORM.empty()
    form.refuse(Refused("nobody-wrote-a-sentence", "Worker w1"))
    assert Frame().said("it", form.errors[""]) == "In questo momento non è possibile."
