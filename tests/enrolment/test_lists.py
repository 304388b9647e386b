"""Lists of people: awkward files are read or refused with a reason; a list is taken once, whole or in its good part."""

import csv
import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from enrolment.domain import Status, Worker
from enrolment.lists import commands as do
from enrolment.lists import wording
from enrolment.lists.archive import Unreadable
from enrolment.lists.checking import Checked, brought, carried, check, once_of, safe_csv, template, template_xlsx
from enrolment.lists.commands import Outcome
from enrolment.lists.rows import _Person
from services import programmes
from services.contracts.enrolment import ConsentChanged, Origin, WorkerReferred
from tests.enrolment.awkward import ADA, AWKWARD, EVA, HEADS, ROWS, File, numbered, text, with_cell
from tests.enrolment.memory import MemoryWork
from tests.enrolment.workers import recorded, sealed

RULES = programmes.load_all()["monza-brianza"]
SECRET = bytes(32)
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


@pytest.mark.parametrize("file", AWKWARD.values(), ids=AWKWARD)
def test_an_awkward_file_is_read_as_it_was_meant_or_refused_with_a_reason(file: File) -> None:
    if file.fault is not None:
        with pytest.raises(Unreadable) as fault:
            check(file.content(), RULES)
        assert fault.value.code == file.fault
        assert wording.FILES[file.fault] % fault.value.values
        return
    checked = check(file.content(), RULES)
    assert [(each.row, each.code) for each in checked.mistakes] == file.mistakes
    assert (len(checked.people), len(checked.repeated)) == (file.people, file.repeated)
    assert all(each.code in wording.MISTAKES and each.column for each in checked.mistakes)


SAME = [name for name, file in AWKWARD.items() if file.people == 2 and not (file.fault or file.mistakes)]


def test_however_a_list_is_saved_the_same_people_are_on_it() -> None:
    expected = [each.card for each in check(text(ROWS), RULES).people]
    assert (expected[0]["family_name"], expected[0]["phone"]) == ("D'Angelò", "+393331234567")
    different = {
        "commas inside of quotes",
        "a number as a number",
        "a number that is protected",
        "phone alone",
        "names in one column",
    }
    for name in set(SAME) - different:
        checked = check(AWKWARD[name].content(), RULES)
        assert [each.card for each in checked.people] == expected, name
        assert [each.sketch.birth_year for each in checked.people] == [1970, 1981], name


def test_every_mistake_of_a_row_is_told_with_its_column_as_the_file_has_it() -> None:
    checked = check(text([HEADS, ADA, ["Verdi", "", "verdi@example.it", "", "Milano", "31/02/1990"]]), RULES)
    assert {(each.row, each.column, each.code) for each in checked.mistakes} == {
        (3, "Nome", "missing"),
        (3, "Comune", "no-town"),
        (3, "Data di nascita", "no-day"),
    }


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [(2, "nico at example", "wrong-email"), (3, "pippo", "wrong-phone"), (5, "1/1/2025", "wrong-birth_year")],
)
def test_what_no_field_takes_is_told_at_its_column(column: int, value: str, code: str) -> None:
    [told] = check(text(with_cell(column, value)), RULES).mistakes
    assert (told.column, told.code, told.value) == (HEADS[column], code, told.value)
    assert code in wording.MISTAKES


def test_the_templates_are_lists_that_are_taken() -> None:
    for language in ("it", "en"):
        for content in (safe_csv(template(language)), template_xlsx(language)):
            checked = check(content, RULES)
            assert (len(checked.people), checked.mistakes, checked.ignored) == (1, [], [])
            assert checked.people[0].card["phone"] == "+393331234567"


def test_a_downloaded_file_has_no_cell_that_a_spreadsheet_computes() -> None:
    nasty = ["=1+1", "+39", "-1", "@SUM(A1)", "\t=1", "plain"]
    [row] = list(csv.reader(io.StringIO(safe_csv([nasty]).decode("utf-8-sig")), delimiter=";"))
    assert row == ["'=1+1", "'+39", "'-1", "'@SUM(A1)", "'\t=1", "plain"]


def test_a_page_brings_back_what_was_judged_and_nothing_else() -> None:
    checked = check(text(ROWS), RULES)
    field = carried(checked, SECRET, "mb/cgil", NOW)
    assert brought(field, SECRET, "mb/cgil", NOW + timedelta(minutes=59)) == checked
    with pytest.raises(Unreadable):
        brought(field, SECRET, "mb/cgil", NOW + timedelta(minutes=61))
    for other in (("mb/cisl", field), ("mb/cgil", field[:-4] + "AAAA"), ("mb/cgil", ""), ("mb/cgil", "è")):
        with pytest.raises(Unreadable):
            brought(other[1], SECRET, other[0], NOW)


def test_two_pages_of_one_file_are_two_submissions() -> None:
    pages = {once_of(carried(check(text(ROWS), RULES), SECRET, "mb/cgil", NOW)) for _ in range(2)}
    assert len(pages) == 2


def test_a_thousand_rows_are_judged_in_seconds() -> None:
    content = text(numbered(1000))
    begun = time.process_time()
    assert len(check(content, RULES).people) == 1000
    assert time.process_time() - begun < 5


async def take(work: MemoryWork, rows: list[list[str]], partner: str = "prova") -> dict[str, int]:
    checked: Checked = check(text(rows), RULES)
    return await do.take_list(do.TakeList(partner=partner, rows=checked.rows), work.as_work)


def counts(**given: int) -> dict[str, int]:
    return {each.value: given.get(each.value, 0) for each in Outcome}


async def test_a_list_refers_people_without_any_consent() -> None:
    work = MemoryWork()
    assert await take(work, ROWS) == counts(new=2)
    for worker in work.workers.values():
        assert recorded(worker) == [WorkerReferred(partner="prova", origin=Origin.LIST)]
        assert not [each for each in recorded(worker) if isinstance(each, ConsentChanged)]
        assert worker.sketch is not None
        kept = orjson.loads(worker.sketch.removeprefix(sealed(worker.id, "sketch", "")))
        assert kept["birth_year"] in {1970, 1981}


async def test_the_same_list_again_changes_nothing() -> None:
    work = MemoryWork()
    await take(work, ROWS)
    before = {id: worker.model_dump() for id, worker in work.workers.items()}
    assert await take(work, ROWS) == counts(same=2)
    assert {id: worker.model_dump() for id, worker in work.workers.items()} == before


async def test_a_corrected_row_corrects_the_person_and_a_new_row_is_new() -> None:
    work = MemoryWork()
    await take(work, ROWS)
    longer = [
        HEADS,
        ADA,
        [*EVA[:2], "giusto@example.it", *EVA[3:]],
        ["Neri", "Ugo", "ugo@example.it", "", "Monza", "1/1/1975"],
    ]
    checked = check(text(longer), RULES)
    foreseen = await do.foresee(work.as_work, "prova", checked.rows)
    assert list(foreseen.values()) == [Outcome.SAME, Outcome.CORRECTED, Outcome.NEW]
    assert await take(work, longer) == counts(same=1, corrected=1, new=1)
    cards = [work.workers[id].card["email"].partition(": ")[2] for id in work.workers]
    assert sorted(cards) == ["giusto@example.it", "nico@example.it", "ugo@example.it"]


async def test_the_list_of_another_partner_learns_nothing_and_corrects_nobody() -> None:
    work = MemoryWork()
    await take(work, ROWS)
    checked = check(text(ROWS), RULES)
    assert set((await do.foresee(work.as_work, "cisl", checked.rows)).values()) == {Outcome.NEW}
    assert work.accesses == []


async def test_somebody_whose_way_has_gone_on_is_left_to_an_operator() -> None:
    work = MemoryWork()
    await take(work, ROWS)
    worker = next(each for each in work.workers.values() if "maria" in each.card["email"])
    worker.status = Status.ADMITTED
    before = worker.model_dump()
    assert await take(work, [HEADS, [*EVA[:2], "other@example.it", *EVA[3:]]]) == counts(closed=1)
    assert worker.model_dump() == before


async def test_an_erasure_empties_what_the_list_is_recognised_by() -> None:
    work = MemoryWork()
    await take(work, ROWS)
    worker: Worker = next(iter(work.workers.values()))
    assert worker.listed is not None
    worker.erase()
    assert worker.listed is None


def test_every_field_that_a_row_can_be_wrong_in_has_a_sentence() -> None:
    written: dict[str, Any] = {
        "given_name": 1,
        "family_name": 1,
        "language": 1,
        "not_by": 1,
        "call_at": 1,
        "municipality": 1,
        "gender": 1,
    }
    chosen = {"sector", "occupation", "education", "heard", "employment"}  # never taken as they stand
    assert {
        f"wrong-{name}" for name in _Person.model_fields.keys() - written.keys() - chosen
    } <= wording.MISTAKES.keys()
