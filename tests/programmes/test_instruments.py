"""Scores as one computes them by hand, and a refusal that names the item."""

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.kernel import Refusal, Refused
from services.programmes.instruments import Instrument, load_all

SHIPPED = load_all()


def answers(instrument: str, *values: float) -> dict[str, float]:
    return dict(zip((item.id for item in SHIPPED[instrument].items), values, strict=True))


@pytest.mark.parametrize(
    ("instrument", "given_answers", "score"),
    [
        ("who5", (3, 2, 4, 1, 3), {"wellbeing": 52}),  # 13 x 4
        ("who5", (0, 0, 0, 0, 0), {"wellbeing": 0}),
        ("who5", (5, 5, 5, 5, 5), {"wellbeing": 100}),
        ("rosenberg", (3, 0, 3, 3, 0, 0, 3, 0, 0, 3), {"self-esteem": 30}),  # 2, 5, 6, 8 and 9 are turned
        ("rosenberg", (3, 3, 3, 3, 3, 3, 3, 3, 3, 3), {"self-esteem": 15}),
        ("rosenberg", (1, 2, 0, 3, 1, 0, 2, 3, 1, 2), {"self-esteem": 16}),  # 1+1+0+3+2+3+2+0+2+2
        ("gse", (1,) * 10, {"self-efficacy": 10}),
        ("gse", (4,) * 10, {"self-efficacy": 40}),
        ("gse", (1, 2, 3, 4, 1, 2, 3, 4, 1, 2), {"self-efficacy": 23}),
        ("jobs2-depression", (1.8181818,), {"depression": 1.8181818}),
        # Turned: 1, 3, 5 and 7 of wellbeing; 2, 4 and 6 of resources.
        ("ama-own", (1, 5, 1, 5, 1, 5, 1, 5, 5, 1, 5, 1, 5, 1), {"wellbeing": 5, "resources": 5}),
        ("ama-own", (3,) * 14, {"wellbeing": 3, "resources": 3}),
        ("ama-own", (5, 1, 5, 1, 5, 1, 5, 1, 1, 5, 1, 5, 1, 5), {"wellbeing": 1, "resources": 1}),
        ("ama-own", (2, 4, 1, 5, 3, 3, 4, 2, 5, 2, 1, 4, 3, 3), {"wellbeing": 3.5, "resources": 3}),
    ],
)
def test_a_score_is_what_one_computes_by_hand(
    instrument: str, given_answers: tuple[float, ...], score: dict[str, float]
) -> None:
    assert SHIPPED[instrument].score(answers(instrument, *given_answers)) == score


def test_what_is_missing_up_to_the_allowed_number_counts_as_the_mean_of_the_rest() -> None:
    full = answers("gse", 4, 4, 4, 2, 2, 2, 3, 1, 1, 1)
    seven = {item: value for item, value in full.items() if item not in {"i8", "i9", "i10"}}
    assert SHIPPED["gse"].score(seven) == {"self-efficacy": 30}  # 21 / 7 x 10
    with pytest.raises(Refused, match="gse: item i7 is not answered"):
        SHIPPED["gse"].score({item: value for item, value in seven.items() if item != "i7"})


@pytest.mark.parametrize(
    ("instrument", "changes", "item"),
    [
        ("who5", {"i1": 6}, "i1"),
        ("who5", {"i2": -1}, "i2"),
        ("who5", {"i3": 2.5}, "i3"),
        ("who5", {"i4": nan}, "i4"),
        ("who5", {"i5": inf}, "i5"),
        ("who5", {"i6": 3}, "i6"),
        ("gse", {"i1": 0}, "i1"),
        ("jobs2-depression", {"score": 0.99}, "score"),
        ("jobs2-depression", {"score": 5.01}, "score"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_by_its_item(instrument: str, changes: dict[str, float], item: str) -> None:
    good = {each.id: SHIPPED[instrument].least for each in SHIPPED[instrument].items}
    with pytest.raises(Refused) as refused:
        SHIPPED[instrument].score(good | changes)
    assert (refused.value.code, refused.value.kind, refused.value.members) == (
        "bad-answer",
        Refusal.INVALID,
        {"item": item},
    )
    assert f"item {item}" in refused.value.detail


def test_nothing_at_all_is_no_answer() -> None:
    for instrument in SHIPPED.values():
        with pytest.raises(Refused, match="is not answered"):
            instrument.score({})


@given(st.data())
def test_every_answer_in_range_gives_every_scale_a_score_in_its_range(data: st.DataObject) -> None:
    instrument = SHIPPED[data.draw(st.sampled_from(sorted(SHIPPED)))]
    value = (
        st.floats(instrument.least, instrument.most)
        if instrument.continuous
        else st.integers(int(instrument.least), int(instrument.most))
    )
    scores = instrument.score({item.id: data.draw(value) for item in instrument.items})
    for scale in instrument.scales:
        least, most = instrument.range_of(scale.id)
        assert least <= scores[scale.id] <= most


def test_which_way_is_good_and_where_a_cut_off_comes_from() -> None:
    assert {each.id for each in SHIPPED.values() if each.direction == "lower-is-better"} == {"jobs2-depression"}
    (low,) = SHIPPED["who5"].cut_offs
    assert (low.scale, low.at_most, low.at_least) == ("wellbeing", 50, None)
    assert "Topp" in low.source


def test_wording_is_shipped_where_the_licence_lets_us_and_in_both_languages() -> None:
    for instrument in SHIPPED.values():
        languages = {language for item in instrument.items for language in item.text}
        assert languages == ({"it", "en"} if instrument.licence == "EUPL-1.2" else set())
        assert all(set(item.text) == languages for item in instrument.items)


def test_our_own_questionnaire_says_half_of_each_scale_the_other_way_round_and_labels_every_answer() -> None:
    ours = SHIPPED["ama-own"]
    assert "not validated" in ours.source
    assert ours.languages == ["en", "it"]
    for scale in ours.scales:
        turned = [item for item in ours.items if item.id in scale.items and item.reversed]
        assert len(turned) * 2 == len(scale.items)
    assert {len(labels) for labels in ours.answers.values()} == {5}
    assert ours.titles.keys() == ours.introduction.keys() == ours.answers.keys() == {"it", "en"}


def instrument(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": "own",
        "title": "Own",
        "direction": "higher-is-better",
        "least": 1,
        "most": 5,
        "licence": "EUPL-1.2",
        "source": "own",
        "items": [{"id": "a"}, {"id": "b"}],
        "scales": [{"id": "s", "items": ["a", "b"], "method": "sum"}],
    }
    return told | changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"least": 5}, "most: not above least"),
        ({"items": [{"id": "a"}, {"id": "a"}, {"id": "b"}]}, "items: a appears twice"),
        ({"scales": [{"id": "s", "items": ["a", "c"], "method": "sum"}]}, "scale s: there is no item c"),
        ({"scales": [{"id": "s", "items": ["a", "a"], "method": "sum"}]}, "scale s: a appears twice"),
        (
            {"scales": [{"id": "s", "items": ["a", "b"], "method": "sum", "may_miss": 2}]},
            "scale s: nothing would be left",
        ),
        (
            {"cut_offs": [{"scale": "t", "at_most": 5, "meaning": "low", "source": "none"}]},
            "cut-off: there is no scale t",
        ),
        ({"cut_offs": [{"scale": "s", "meaning": "low", "source": "none"}]}, "cut-off: neither at_most nor at_least"),
        ({"answers": {"it": ("no", "sì")}}, "answers it: not one label for each answer"),
        ({"wording": "x"}, "Extra inputs"),
    ],
)
def test_an_instrument_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Instrument.model_validate(instrument(**changes))
