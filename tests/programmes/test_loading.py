"""A programme file with a mistake is answered by one sentence that names the file and the line, whatever the mistake is."""

import re
import time
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.programmes import Programme, distance_km, load, load_all
from services.programmes.instruments import load_all as instruments
from services.programmes.lines import line_of, lines_of
from services.programmes.loading import parse
from services.settings import Misconfigured

SHIPPED = {
    name: (files("services.programmes") / f"{name}.toml").read_text("utf-8")
    for name in ("jobs2", "monza-brianza", "smoke")
}
TEXT = SHIPPED["monza-brianza"]
LINES = TEXT.split("\n")
SENTENCE = re.compile(r"monza\.toml, line (\d+): \S.*\.", re.DOTALL)


def sentence(text: str) -> str | None:
    """Return the error of the loader for this text; None when it is a programme."""
    try:
        assert isinstance(parse(text, "monza.toml"), Programme)
    except Misconfigured as refused:
        return str(refused)
    return None


def is_one_sentence_with_a_line(said: str, text: str) -> bool:
    found = SENTENCE.fullmatch(said)
    return found is not None and "\n" not in said and 1 <= int(found.group(1)) <= text.count("\n") + 1


def test_the_shipped_programmes_run_side_by_side() -> None:
    programmes = load_all()
    assert set(programmes) == {"jobs2", "monza-brianza", "smoke"}
    monza, jobs2 = programmes["monza-brianza"], programmes["jobs2"]
    assert (monza.meetings, monza.cadence_days, monza.targets["groups"]) == (18, 14, 6)
    assert {partner.id for partner in monza.partners if "partner" in partner.roles} >= {
        "comune-monza",
        "afol",
        "aeris",
        "cgil",
        "cisl",
        "uil",
    }
    assert [partner.id for partner in monza.partners if "funder" in partner.roles] == ["provincia-mb"]
    assert (jobs2.meetings, jobs2.sizes.min, jobs2.sizes.max) == (5, 10, 15)
    assert {(each.wave, each.instrument) for each in jobs2.surveys} == {
        ("T0", "jobs2-depression"),
        ("T2", "jobs2-depression"),
    }


def test_every_wave_asks_with_an_instrument_that_is_shipped() -> None:
    assert {each.instrument for rules in load_all().values() for each in rules.surveys} <= set(instruments())


@pytest.mark.parametrize("name", SHIPPED)
def test_whoever_has_a_feed_refers_somebody_to_hear_of(name: str) -> None:
    assert all("referrer" in partner.roles for partner in load_all()[name].partners if partner.feed)


def test_monza_and_lissone_are_as_far_apart_as_by_road() -> None:
    monza = load_all()["monza-brianza"]
    assert distance_km(monza, "monza", "monza") == 0
    assert distance_km(monza, "monza", "lissone") == distance_km(monza, "lissone", "monza")
    assert distance_km(monza, "monza", "lissone") == pytest.approx(
        1.3 * 3.94, abs=0.1
    )  # 3.94 km as the crow flies, by the law of cosines


MISTAKES = [
    ("meetings = 18", "meetings = 0", "meetings: input should be greater than or equal to 1"),
    ("meetings = 18", 'meetings = "18"', "meetings: input should be a valid integer"),
    ("meetings = 18", "meetings = true", "meetings: input should be a valid integer"),
    ("meetings = 18", "meetings = 18.0", "meetings: input should be a valid integer"),
    ("starts = 2026-09-01", "starts = 20260901", "starts: input should be a valid date"),
    ("starts = 2026-09-01", 'starts = "2026-09-01"', "starts: input should be a valid date"),
    ("ends = 2028-02-29", "ends = 2025-02-28", "ends: before it starts"),
    ("ends = 2028-02-29", "ends = 2027-02-29", "not TOML"),
    ("closes = 2027-08-31", "closes = 2026-08-31", "intake.closes: before it opens"),
    ("max = 15", "max = 9", "sizes.max: smaller than min"),
    ("max = 15", "maximum = 15", "sizes.maximum: extra inputs"),
    ('timezone = "Europe/Rome"', 'timezone = "Europe/Monza"', "timezone: no time zone of that name"),
    ('name = "Comune di Monza"', 'nome = "Comune di Monza"', "partners.1.nome: extra inputs"),
    (
        'roles = ["co-funder", "partner", "referrer"]',
        'roles = ["sponsor"]',
        "partners.1.roles.0: input should be 'funder'",
    ),
    ('id = "cisl"', 'id = "cgil"', "partners.5.id: cgil appears twice"),
    ('id = "cisl"', 'id = "C.I.S.L."', "partners.5.id: string should match pattern '^[a-z0-9][a-z0-9-]*$'"),
    (
        'feed = ["worker.referred", "worker.admitted", "worker.declined"]',
        'feed = ["attendance.recorded"]',
        "partners.1.feed.0: input",
    ),
    ('weekday = "monday"', 'weekday = "lunedì"', "slots.0.weekday: not one of monday"),
    ("at = 14:30:00", 'at = "14:30"', "slots.1.at: input should be a valid time"),
    ("lat = 45.584", "lat = 95.584", "municipalities.0.lat: input should be less than or equal to 90"),
    ("lat = 45.584", "lat = nan", "municipalities.0.lat: input should be"),
    (
        'instrument = "ama-own"',
        'instrument = "who-5"',
        "surveys.0.instrument: there is no instrument who-5; there are ama-own",
    ),
    ('wave = "T1"', 'wave = "T0"', "surveys.1.wave: ama-own in T0 appears twice"),
    ("due_days = 270", "due_days = -1", "surveys.1.due_days: input should be greater"),
    ("members = 75", "members = -75", "targets.members: input should be greater"),
    (
        'no_one_alone = ["gender"]',
        'no_one_alone = ["gender", "height"]',
        "no_one_alone.1: input should be 'gender' or 'age'",
    ),
    ('no_one_alone = ["gender"]', 'no_one_alone = ["gender", "gender"]', "no_one_alone.1: gender appears twice"),
    ('no_one_alone = ["gender"]', 'no_one_alone = "gender"', "no_one_alone: input should be a valid tuple"),
    ('no_one_alone = ["gender"]', 'no_lone = ["gender"]', "no_lone: extra inputs"),
    ("[notice]", "[notice", "not TOML"),
    ("meetings = 18", "meetings = 18\nmeetings = 18", "not TOML (cannot overwrite a value)"),
    ("meetings = 18", f"meetings = {'1' * 5000}", "not to be read"),
    ("meetings = 18", f"meetings = {'[' * 5000}{']' * 5000}", "not to be read"),
]


@pytest.mark.parametrize(("was", "becomes", "said"), MISTAKES)
def test_a_mistake_is_one_sentence_at_its_line(was: str, becomes: str, said: str) -> None:
    line = LINES.index(was) + 1
    changed = TEXT.replace(f"\n{was}\n", f"\n{becomes}\n", 1)
    lines = {line, line + becomes.count("\n")}
    answer = sentence(changed)
    assert answer is not None
    assert is_one_sentence_with_a_line(answer, changed)
    if "twice" in said:  # it is named where it is repeated, which need not be the line that was changed
        assert f": {said}" in answer
    else:
        assert any(answer.startswith(f"monza.toml, line {each}: {said}") for each in lines), answer


def test_what_is_missing_is_named_at_the_table_that_should_have_it() -> None:
    text = TEXT.replace('name = "Aeris Cooperativa Sociale"\n', "")
    line = text.split("\n").index('id = "aeris"')  # one line above it, counted from 1: the header
    assert sentence(text) == f"monza.toml, line {line}: partners.3.name: field required."


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """The shipped file with lines dropped, doubled, swapped or spoilt, as a hurried editor leaves it."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        how = draw(st.sampled_from(["drop", "double", "swap", "spoil", "cut", "value"]))
        if how == "drop":
            lines[at : at + 1] = []
        elif how == "double":
            lines[at:at] = [lines[at]]
        elif how == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif how == "spoil":
            spot = draw(st.integers(0, len(lines[at])))
            lines[at] = (
                lines[at][:spot]
                + draw(st.text(alphabet="[]{}=,.\"'#\\ \t\x00aé\n0-", min_size=1, max_size=3))
                + lines[at][spot:]
            )
        elif how == "cut":
            lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
        else:
            value = draw(
                st.sampled_from(
                    [
                        "0",
                        "-1",
                        "1e9",
                        "nan",
                        "inf",
                        "true",
                        '""',
                        "[]",
                        "{}",
                        "[[1]]",
                        "{a.b=1}",
                        "1991-03-01",
                        '"\\n"',
                    ]
                )
            )
            lines[at] = f"{lines[at].partition('=')[0]}= {value}"
    return "\n".join(lines)


@given(_mutated())
@settings(max_examples=300, deadline=None)
@example(TEXT.replace("[sizes]", '["a\\nb"]'))
@example(TEXT[:1000])
def test_no_mutilated_file_raises_anything_but_one_sentence_with_a_line(text: str) -> None:
    said = sentence(text)
    assert said is None or is_one_sentence_with_a_line(said, text), said


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_text_at_all_does_either(text: str) -> None:
    said = sentence(text)
    assert said is not None
    assert is_one_sentence_with_a_line(said, text), said


NASTY = (
    """# [ not = a table ]
"quoted.key" = "x = 1 # no comment" # comment
'literal' = 'c:\\' ; more = 1
""".replace(" ; more = 1", "")
    + '''
dotted . inner."deep er" = 1
many = [ # comment with ] inside
  "a", """two
lines "quoted" and ] and "" end""""",
  [1, { k = 'v', "l\\u00e9" = [true, 1979-05-27T07:32:00Z] }],
]
text = """
[[fake]]
key = 1
"""
raw = \'\'\'it''s
[fake2]\'\'\'
[a.b]
c = 1.5e3
[[list]]
x = {}
[list.sub]
y = 2
[[list.deep]]
z = 3
[[list]]
x = []
[[list.deep]]
z = 4
[[list.deep]]
z = 5
'''
)


def _paths(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = {path: value} if path else {}
    for key, each in inside:
        found |= _paths(each, (*path, str(key)))
    return found


@pytest.mark.parametrize("text", [NASTY, *SHIPPED.values()])
def test_every_value_of_a_file_has_a_line_and_nothing_else_has(text: str) -> None:
    assert set(lines_of(text)) == set(_paths(tomllib.loads(text)))


@pytest.mark.parametrize(
    ("where", "begins"),
    [
        (["dotted", "inner", "deep er"], "dotted"),
        (["many", 0], '  "a"'),
        (["many", 1, "k"], "  [1,"),
        (["text"], "text"),
        (["a", "b", "c"], "c = 1.5e3"),
        (["list", 1, "deep", 0, "z"], "z = 4"),
        (["list", 1, "deep", 1, "z"], "z = 5"),
        (["list", 1, "deep", 1, "nothing", "there"], "[[list.deep]]"),
        (["no such key"], "# [ not"),
    ],
)
def test_a_path_is_found_on_its_line(where: list[str | int], begins: str) -> None:
    if where[:2] == ["many", 1]:
        where = ["many", 2, 1, "k"]
    assert NASTY.split("\n")[line_of(NASTY, where) - 1].startswith(begins)


def own(folder: Path, **changes: str) -> Path:
    """The pilot's file under another id and with partners of its own, with these replacements."""
    text = TEXT.replace('id = "monza-brianza"', 'id = "lecco"')
    for partner in ("provincia-mb", "comune-monza", "afol", "aeris", "cgil", "cisl", "uil"):
        text = text.replace(f'id = "{partner}"', f'id = "lecco-{partner}"')
    for was, becomes in changes.items():
        text = text.replace(f'"lecco-{was}"' if was != "id" else '"lecco"', f'"{becomes}"')
    (folder / "lecco.toml").write_text(text, "utf-8")
    return folder


def test_another_province_loads_its_own_file_beside_the_shipped_ones(tmp_path: Path) -> None:
    assert set(load_all(own(tmp_path))) == {"jobs2", "lecco", "monza-brianza", "smoke"}


def test_a_partner_of_two_programmes_is_refused_at_its_line(tmp_path: Path) -> None:
    line = LINES.index('id = "uil"') + 1
    with pytest.raises(
        Misconfigured,
        match=rf"lecco\.toml, line {line}: partners\.6\.id: uil is a partner of programme monza-brianza already",
    ):
        load_all(own(tmp_path, uil="uil"))


def test_a_programme_that_is_there_already_is_refused_at_its_line(tmp_path: Path) -> None:
    text = (own(tmp_path) / "lecco.toml").read_text("utf-8")
    (tmp_path / "monza.toml").write_text(text, "utf-8")
    line = LINES.index('id = "monza-brianza"') + 1
    with pytest.raises(Misconfigured, match=rf"monza\.toml, line {line}: id: there is a programme lecco already"):
        load_all(tmp_path)


def test_a_file_of_the_folder_stands_in_for_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(TEXT.replace("meetings = 18", "meetings = 17"), "utf-8")
    programmes = load_all(tmp_path)
    assert set(programmes) == set(SHIPPED)
    assert programmes["monza-brianza"].meetings == 17


HEADS = "".join(f"[{'b.' * 30}{number:04}]\n" for number in range(900))
SLOW = {
    "a key with escapes": '"\\"x".' * 20_000,
    "quotes": ('"' + '\\".' * 300 + "\n") * 70,
    "arrays of tables": "[[a]]\n" * 10_000,
    "headers of many parts": HEADS,
    "brackets behind them": HEADS[: -1 << 11].rsplit("\n", 1)[0] + "\nx = [" + "[\n" * 900,
    "elements": "x = [\n" + "1,\n" * 20_000 + "]",
    "renamings": f"{TEXT}[renamed]\n" + "".join(f'a{n} = "a{n + 1}"\n' for n in range(3000)),
    "megabytes": "a = 1\n" * 1_000_000,
    "a long line": f"a = '{'x' * 50_000}'",
}


@pytest.mark.parametrize("name", SLOW)
def test_no_file_takes_a_second(name: str) -> None:
    began = time.process_time()
    said = sentence(SLOW[name])
    assert time.process_time() - began < 1
    assert said is not None
    assert said.startswith("monza.toml, line ")


def test_a_file_of_the_folder_is_bounded_too(tmp_path: Path) -> None:
    (tmp_path / "much.toml").write_text(f"{TEXT}\n" + "# a comment\n" * 6_000, "utf-8")
    with pytest.raises(Misconfigured, match=r"much\.toml, line 1: the file has more than 64 KB"):
        load(tmp_path / "much.toml")


def test_a_folder_or_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"AMA_PROGRAMMES: .*/none is no folder"):
        load_all(tmp_path / "none")
    with pytest.raises(Misconfigured, match=r"none\.toml cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_a_file_in_another_encoding_is_refused_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "old.toml"
    file.write_bytes(TEXT.encode("latin-1"))
    line = LINES.index('name = "Muggiò"') + 1
    with pytest.raises(Misconfigured, match=rf"old\.toml, line {line}: not UTF-8"):
        load(file)
