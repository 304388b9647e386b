"""A changed file against what is published: what leaves is retired, what is renamed is found, a second meaning is refused."""

from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel import Refused
from services.programmes import (
    Programme,
    differences,
    distance_km,
    following,
    programme_of,
    published,
    read_text,
    refuse_unless_active,
)
from services.settings import Misconfigured
from tests.programmes.drafts import BEFORE, NOTICES, PARTNERS, TIMES, TOWNS, WAVES, Draft, finds, named_in

TODAY = date(2026, 12, 1)
MERGED = (Path(__file__).parent / "files" / "merged-municipality.toml").read_text()
NO_SLOT = (Path(__file__).parent / "files" / "slot-removed.toml").read_text()


def after(before: Programme | None, text: str, *, lived_in: bool = True, today: date = TODAY) -> Programme:
    return following(before, read_text(text, "prova.toml"), today, lived_in=lived_in)


@pytest.fixture
def prova() -> Programme:
    return after(None, BEFORE)


def test_what_leaves_the_file_keeps_its_meaning_and_takes_nothing_new(prova: Programme) -> None:
    merged = after(prova, MERGED)
    assert merged.municipality("trivero") == prova.places_on_the_map["trivero"].model_copy(update={"retired": True})
    assert [each.id for each in merged.active.municipalities] == ["valdilana", "biella"]
    assert distance_km(merged, "trivero", "biella") == distance_km(prova, "trivero", "biella")
    slotless = after(merged, NO_SLOT)
    slot = slotless.slot("thu-evening")
    assert slot is not None
    assert (slot.weekday, slot.at, slot.retired) == ("thursday", time(18, 30), True)
    for part, id in (("municipalities", "valdilana"), ("slots", "thu-evening")):
        with pytest.raises(Refused, match=f"{id}: retired from prova"):
            refuse_unless_active(slotless, part, [id])
        refuse_unless_active(slotless, part, [id], before=[id])
    with pytest.raises(Refused, match="no slot of prova") as refused:
        refuse_unless_active(slotless, "slots", ["never"])
    assert refused.value.code == "no-such-slot"


def test_what_comes_back_is_active_again(prova: Programme) -> None:
    again = after(after(prova, NO_SLOT), BEFORE)
    assert [each.id for each in again.active.slots] == [each.id for each in prova.slots]


def test_a_wave_that_is_added_or_comes_back_has_its_day_and_one_that_was_there_has_none(prova: Programme) -> None:
    merged = after(prova, MERGED)
    assert {each.id: each.since for each in merged.surveys} == {"T0/gse": None, "T0/who5": None, "T1/who5": TODAY}
    later = date(2027, 1, 1)
    assert {each.since for each in after(merged, MERGED, today=later).surveys} == {None, TODAY}
    gone = after(merged, BEFORE, today=later)
    assert [each.id for each in gone.surveys if each.retired] == ["T1/who5"]
    assert {each.since for each in after(gone, MERGED, today=later).surveys} == {None, later}


def test_an_earlier_notice_can_still_be_consented_to(prova: Programme) -> None:
    newer = after(prova, BEFORE.replace('version = "2026-09"\nlanguages = ["it"]', 'version = "2027-01"'))
    assert newer.notice.version == "2027-01"
    assert newer.notice_of("2026-09") == prova.notice
    assert newer.notice_of("banana") is None


RENAMED = BEFORE.replace("[sizes]", '[renamed]\n{old} = "{new}"\n\n[sizes]')
VALDILANA = MERGED.replace("[sizes]", '[renamed]\nvalle-mosso = "valdilana"\n\n[sizes]')


def test_who_names_the_old_id_is_treated_as_the_new_one(prova: Programme) -> None:
    merged = after(prova, VALDILANA)
    assert merged.municipality_id("valle-mosso") == "valdilana"
    assert distance_km(merged, "valle-mosso", "biella") == distance_km(merged, "valdilana", "biella")
    refuse_unless_active(merged, "municipalities", ["valle-mosso"])
    # It stays so when the file says no more of it, and through another renaming.
    assert after(merged, MERGED).municipality_id("valle-mosso") == "valdilana"
    further = MERGED.replace('id = "valdilana"', 'id = "nuova"').replace(
        "[sizes]", '[renamed]\nvaldilana = "nuova"\n\n[sizes]'
    )
    assert after(merged, further).municipality_id("valle-mosso") == "nuova"


REFUSED: list[tuple[str, str]] = [
    (BEFORE.replace("at = 18:30:00", "at = 19:30:00"), "slots.1.id: thu-evening was thursday at 18:30"),
    (BEFORE.replace('weekday = "monday"', 'weekday = "friday"'), "slots.2.id: mon-late was monday"),
    (BEFORE.replace("lat = 45.634", "lat = 45.734"), "municipalities.0.id: valle-mosso was 11 km from there"),
    (BEFORE.replace("starts = 2026-09-01", "starts = 2026-08-01"), "starts: it was 2026-09-01"),
    (BEFORE.replace("Europe/Rome", "Europe/Vatican"), "timezone: it was Europe/Rome"),
    (VALDILANA.replace('"valdilana"\n\n[sizes]', '"tue-evening"\n\n[sizes]'), "tue-evening is not among the municip"),
    (
        NO_SLOT.replace("[sizes]", '[renamed]\nthu-evening = "tue-evening"\n\n[sizes]'),
        "renamed.thu-evening: tue-evening is at another time",
    ),
    (
        BEFORE.replace('id = "prova-uno"', 'id = "prova-due"').replace(
            "[sizes]", '[renamed]\nprova-uno = "biella"\n\n[sizes]'
        ),
        "renamed.prova-uno: a partner keeps its id",
    ),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_a_second_meaning_is_refused_with_one_sentence_at_its_line(prova: Programme, text: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=rf"^prova\.toml, line \d+: .*{said}"):
        after(prova, text)


def test_before_anybody_is_there_a_mistake_can_be_mended(prova: Programme) -> None:
    mended = after(prova, BEFORE.replace("at = 18:30:00", "at = 19:30:00"), lived_in=False)
    slot = mended.slot("thu-evening")
    assert slot is not None
    assert (slot.at, slot.retired) == (time(19, 30), False)


def test_a_renamed_id_does_not_come_back(prova: Programme) -> None:
    with pytest.raises(Misconfigured, match="valle-mosso was renamed to valdilana"):
        after(after(prova, VALDILANA), BEFORE)


def test_the_differences_name_each_change_once(prova: Programme) -> None:
    changed = VALDILANA.replace("meetings = 4", "meetings = 5")
    found = {(each.part, each.id, each.change) for each in differences(prova, after(prova, changed))}
    assert found == {
        ("programme", "meetings", "changed"),
        ("municipalities", "valdilana", "added"),
        ("municipalities", "valle-mosso", "renamed"),
        ("municipalities", "trivero", "retired"),
        ("surveys", "T1/who5", "added"),
    }
    assert differences(prova, after(prova, BEFORE)) == []


def some(of: Any) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(sorted(of)), min_size=1)


NAMES = st.sampled_from([*TIMES, *TOWNS])
DRAFTS = st.builds(
    Draft,
    slots=some(TIMES),
    towns=some(TOWNS),
    partners=some(PARTNERS),
    waves=some(WAVES),
    notice=st.sampled_from(NOTICES),
    renamed=st.dictionaries(NAMES, NAMES, max_size=2),
    moved=st.integers(0, 5).map(lambda each: each == 0),
)


@given(st.lists(DRAFTS, min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_every_id_ever_used_is_found_for_ever_and_means_what_it_meant(drafts: list[Draft]) -> None:
    rules: Programme | None = None
    ever: set[tuple[str, str]] = set()
    times: dict[str, tuple[str, time]] = {}
    for draft in drafts:
        text = draft.text()
        try:
            changed = after(rules, text)
        except Misconfigured:
            continue
        assert after(changed, text) == changed  # the same file again changes nothing
        assert programme_of(changed.id, published(changed, 1)) == changed
        ever |= named_in(changed)
        assert named_in(changed) == ever
        for part, id in ever:
            assert finds(changed)[part](id) is not None, (part, id)
        for slot in changed.slots:
            found = changed.slot(slot.id)
            assert found is not None
            assert times.setdefault(slot.id, (found.weekday, found.at)) == (found.weekday, found.at)
        assert {each.id for each in changed.active.slots} == draft.slots
        assert all(
            rules is None or distance_km(changed, a.id, b.id) >= 0
            for a in changed.municipalities
            for b in changed.municipalities
        )
        rules = changed


def with_partners(*ids: str) -> str:
    return BEFORE + "".join(f'\n[[partners]]\nid = "{id}"\nname = "X"\nroles = ["referrer"]\n' for id in ids)


def test_entries_that_left_count_so_that_no_row_of_changes_grows_without_end(prova: Programme) -> None:
    once = after(prova, with_partners(*(f"a{each}" for each in range(60))))
    with pytest.raises(Misconfigured, match=r"partners: 1\d\d entries with those that left earlier files, and 100 are"):
        after(once, with_partners(*(f"b{each}" for each in range(60))))
    assert after(once, BEFORE).active.partners == prova.active.partners


def test_earlier_versions_of_the_notice_count_too(prova: Programme) -> None:
    before = prova
    for each in range(49):
        before = after(before, BEFORE.replace('"2026-09"', f'"v{each}"'))
    before = after(before, BEFORE.replace('"2026-09"', '"v49"'))
    with pytest.raises(Misconfigured, match="notices: 51 entries with those that left"):
        after(before, BEFORE.replace('"2026-09"', '"v50"'))


def test_a_programme_that_was_longer_before_there_was_a_bound_is_changed_and_grows_no_more(prova: Programme) -> None:
    more = tuple(prova.partners[0].model_copy(update={"id": f"old{each}", "retired": True}) for each in range(150))
    old = prova.model_copy(update={"partners": (*prova.partners, *more)})
    assert len(after(old, BEFORE.replace("Programma di prova", "Un altro titolo")).partners) == len(old.partners)
    with pytest.raises(Misconfigured, match="those that left"):
        after(old, with_partners("new"))
