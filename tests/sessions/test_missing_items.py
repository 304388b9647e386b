"""An instrument allows some answers to be missing: the page behind the personal link and the API judge alike."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.enrolment import Purpose
from services.identity.auth import Role
from services.kernel import Refused
from services.programmes.instruments import load_all
from services.settings import Settings
from sessions.pages import _number
from tests.sessions.conftest import World

SEVEN = {f"i{each}": 3 for each in range(1, 8)}  # of ten; three may be missing
SIX = {item: value for item, value in SEVEN.items() if item != "i7"}


@pytest.fixture
def own(own: Settings) -> Settings:
    """The programme of the test, with an instrument that allows three missing items."""
    file = Path(str(own.programmes)) / f"{own.only}.toml"
    file.write_text(file.read_text().replace('instrument = "ama-own"', 'instrument = "gse"'))
    return own


async def test_seven_of_ten_items_are_taken_and_six_are_not_by_the_page_and_by_the_api(world: World) -> None:
    by_page, by_api = await world.admitted(Purpose.RESEARCH), await world.admitted(Purpose.RESEARCH)
    for worker in (by_page, by_api):
        await world.surveys(worker, 2, status="invited")
    path = world.link(by_page, "gse", "T0")
    async with world.browser() as browser:
        shown = (await browser.get(path)).text
        assert "a cui puoi rispondere" in shown
        assert " required" not in shown
        six = await browser.post(path, data={item: str(value) for item, value in SIX.items()})
        assert (six.status_code, six.text.count("Manca la risposta.")) == (422, 4)
        seven = await browser.post(path, data={item: str(value) for item, value in SEVEN.items()})
        assert seven.status_code == 303
    async with world.client(Role.WORKER, by_api) as client:
        where = f"/workers/{by_api}/surveys/gse/T0"
        assert (await client.put(where, json={"answers": SIX})).status_code == 422
        assert (await client.put(where, json={"answers": SEVEN})).status_code == 204
    assert len(await world.stored("survey", status="submitted")) == 2
    assert len(await world.published("survey.scored", "ama.sessions.restricted")) == 2
    assert load_all()["gse"].score({item: float(value) for item, value in SEVEN.items()}) == {"self-efficacy": 30}


@given(st.data())
def test_whatever_is_answered_the_page_finds_a_mistake_exactly_when_the_api_refuses(data: st.DataObject) -> None:
    instrument = load_all()[data.draw(st.sampled_from(sorted(load_all())))]
    ids = st.sampled_from([*(item.id for item in instrument.items), "i99"])
    typed = data.draw(st.dictionaries(ids, st.sampled_from(["0", "1", "2", "3", "4", "2,5", "9", "much", "1_0", "٣"])))
    answers = {item: _number(text) for item, text in typed.items()}
    mistakes, refused = instrument.mistakes(answers), None
    try:
        instrument.score(answers)
    except Refused as refusal:
        refused = refusal.members["item"]
    assert refused == next(iter(mistakes), None)


@pytest.mark.parametrize("text", ["1_0", "٣", "nan", "inf", "1e1", "0x1", "", "1 0", "--1", "1.2.3"])
def test_what_is_no_number_as_people_write_it_is_no_answer(text: str) -> None:
    assert _number(text) != _number(text)


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("2,5", 2.5), ("2.5", 2.5), ("-1", -1), ("+1", 1), ("007", 7)])
def test_a_number_has_a_comma_or_a_point(text: str, number: float) -> None:
    assert _number(text) == number
