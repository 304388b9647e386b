"""The figures of the pilot: complete when every act has arrived, also of few people; and explained where they are printed."""

from typing import Any

from services import programmes
from services.cli.pilot import _table
from services.cli.terminal import Terminal
from services.scenarios.pilot.figures import complete, progress
from services.scenarios.pilot.people import humans

PEOPLE = humans(programmes.load_all()["jobs2"], 1991)[:60]
TREATED, COMPLIED = sum(each.treated for each in PEOPLE), sum(each.complied for each in PEOPLE)


def indicators(**changes: Any) -> dict[str, Any]:
    whole = {"referred": 60, "admitted": 60, "seated": TREATED, "waiting": 60 - TREATED, "took_part": COMPLIED}
    return whole | {"surveys": [{"wave": wave, "scored": 60} for wave in ("T0", "T2")]} | changes


def test_the_figures_are_complete_when_all_of_them_have_arrived() -> None:
    assert complete(indicators(), PEOPLE)
    assert not complete(indicators(took_part=COMPLIED - 1), PEOPLE)
    assert progress(indicators(admitted=59), PEOPLE) == 6 / 7


def test_people_who_find_no_group_do_not_keep_the_figures_from_being_complete() -> None:
    fewer = indicators(seated=TREATED - 2, waiting=62 - TREATED, took_part=COMPLIED - 1)
    assert not complete(fewer, PEOPLE)
    assert complete(fewer, PEOPLE, TREATED - 2)
    assert not complete(indicators(seated=TREATED - 3, waiting=63 - TREATED), PEOPLE, TREATED - 2)


def test_each_figure_is_explained_in_its_line() -> None:
    means = {"T0": {"seated": 1.86, "waiting": None}}
    table = _table({**indicators(), "groups": [12, 15], "means": means, "events": 700, "seconds": 9.5})
    meanings = [str(each) for each in table.columns[2].cells]
    assert len(meanings) == table.row_count
    assert all(len(each) > 20 for each in meanings)
    terminal = Terminal(width=200)
    with terminal.capture() as shown:
        terminal.print(table)
    assert "each must have 10 to 15 members" in shown.get()
    assert "between 1 and 5, lower is better" in shown.get()
