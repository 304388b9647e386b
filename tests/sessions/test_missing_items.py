"""An instrument allows some answers to be missing: the page behind the personal link and the API judge alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.enrolment import Purpose
from services.identity.auth import Role
from services.kernel import Refused
from services.programmes.instruments import load_all
from sessions.survey_page import number
from tests.sessions.conftest import World

ALL = {item.id: 3 for item in load_all()["ama-own"].items}
# Of the eight sentences about wellbeing two may be missing, and of the six about resources one.
ELEVEN = {item: value for item, value in ALL.items() if item not in {"guilt-fault", "role-lost", "trust-doubt"}}
TEN = {item: value for item, value in ELEVEN.items() if item != "identity"}


async def test_what_may_be_left_is_left_by_the_page_and_by_the_api_and_no_more(world: World) -> None:
    by_page, by_api = await world.admitted(Purpose.RESEARCH), await world.admitted(Purpose.RESEARCH)
    await world.surveys(by_api, 1, status="invited")
    path = await world.link(by_page)
    async with world.browser() as browser:
        assert "a cui puoi rispondere" in (await browser.get(path)).text
        ten = await browser.post(path, data={item: str(value) for item, value in TEN.items()})
        assert (ten.status_code, ten.text.count("</span> Manca la risposta")) == (422, 3)
        eleven = await browser.post(path, data={item: str(value) for item, value in ELEVEN.items()})
        assert eleven.status_code == 303
    async with world.client(Role.WORKER, by_api) as client:
        where = f"/workers/{by_api}/surveys/ama-own/T0"
        assert (await client.put(where, json={"answers": TEN})).status_code == 422
        assert (await client.put(where, json={"answers": ELEVEN})).status_code == 204
    assert len(await world.stored("survey", status="submitted")) == 2
    assert len(await world.published("survey.scored", "ama.sessions.restricted")) == 2


@given(st.data())
def test_whatever_is_answered_the_page_finds_a_mistake_exactly_when_the_api_refuses(data: st.DataObject) -> None:
    instrument = load_all()[data.draw(st.sampled_from(sorted(load_all())))]
    ids = st.sampled_from([*(item.id for item in instrument.items), "i99"])
    typed = data.draw(st.dictionaries(ids, st.sampled_from(["0", "1", "2", "3", "4", "2,5", "9", "much", "1_0", "٣"])))
    answers = {item: number(text) for item, text in typed.items()}
    mistakes, refused = instrument.mistakes(answers), None
    try:
        instrument.score(answers)
    except Refused as refusal:
        refused = refusal.members["item"]
    assert refused == next(iter(mistakes), None)


@pytest.mark.parametrize("text", ["1_0", "٣", "nan", "inf", "1e1", "0x1", "", "1 0", "--1", "1.2.3"])
def test_what_is_no_number_as_people_write_it_is_no_answer(text: str) -> None:
    assert number(text) != number(text)


@pytest.mark.parametrize(("text", "meant"), [("3", 3), ("2,5", 2.5), ("2.5", 2.5), ("-1", -1), ("+1", 1), ("007", 7)])
def test_a_number_has_a_comma_or_a_point(text: str, meant: float) -> None:
    assert number(text) == meant
