"""A file that cannot be meant is refused with one sentence at its line."""

import json
from pathlib import Path

import pytest

from services.programmes import Programme, load_all, published, read_text
from services.programmes.plausible import MOST, lists_of
from services.settings import Misconfigured

BEFORE = (Path(__file__).parent / "files" / "before.toml").read_text()
T1 = '\n[[surveys]]\nwave = "T1"\ninstrument = "who5"\ndue_days = {days}\n{more}'

NONSENSE = [
    (("ends = 2027-12-31", "ends = 9999-12-31"), "ends: not between the years 1900 and 2200"),
    (("[sizes]", f"[targets]\nmembers = {10**23}\n[sizes]"), "targets.members: more than 1,000,000"),
    (("[sizes]", '[targets]\n"$where" = 1\n[sizes]'), "targets: '$where' is no name of a target"),
    (("[sizes]", '[targets]\n"a.b" = 1\n[sizes]'), "targets: 'a.b' is no name of a target"),
    (("[sizes]", '[targets]\n"" = 1\n[sizes]'), "targets: '' is no name of a target"),
    (('name = "Biella"', 'name = "Bie\\u0000lla"'), "municipalities.2.name: holds a control character"),
    (('name = "Prova Uno"', 'name = "Prova \\u202eUno"'), "partners.0.name: holds an invisible character"),
    (('name = "Prova Uno"', f'name = "{"U" * 201}"'), "partners.0.name: more than 200 characters"),
    (('title = "Programma di prova"', 'title = " "'), "title: is empty"),
    (("at = 02:30:00", "at = 02:30:00.5"), "slots.0.at: a time has no parts of a second"),
    (("opens = 2026-09-01", "opens = 2020-01-01"), "intake.opens: before the programme starts (2026-09-01)"),
    (("closes = 2027-08-31", "closes = 2035-12-31"), "intake.closes: after the programme ends (2027-12-31)"),
    (("meetings = 4", "meetings = 200"), "meetings: 200 meetings, one every 14 days, last until 2034-04-18"),
    (
        ("lat = 45.566\nlon = 8.053", "lat = 8.053\nlon = 45.566"),
        "biella at 8.053, 45.566 is not in Italy: lat and lon",
    ),
    (("lat = 45.566", "lat = 48.9"), "municipalities.2.lat: biella at 48.9, 8.053 is not in Italy."),
    (
        ("lat = 45.566\nlon = 8.053", "lat = 38.1\nlon = 13.3"),
        "municipalities.2.lat: biella is 940 km from valle-mosso",
    ),
    (('version = "2026-09"', 'version = ""'), "notice.version: string should match pattern"),
    (('version = "2026-09"', 'version = " "'), "notice.version: string should match pattern"),
    (('languages = ["it"]', "languages = []"), "notice.languages: tuple should have at least 1 item"),
    (('languages = ["it"]', 'languages = ["Italian"]'), "notice.languages.0: string should match pattern"),
    (('id = "trivero"', 'id = "biella"'), "municipalities.2.id: biella appears twice"),
    (("ends = 2027-12-31", "ends = 2026-01-31"), "ends: before it starts"),
    (('id = "biella"', 'id = "biella"\nretired = true'), "municipalities.2.retired: no file says this"),
    (("[sizes]", '[renamed]\nvalle-mosso = "biella"\n[sizes]'), "renamed.valle-mosso: valle-mosso is still there"),
    (("[sizes]", '[renamed]\nold = "never"\n[sizes]'), "renamed.old: never is no slot and no municipality of the file"),
    (("[sizes]", '[renamed]\nx = "y"\ny = "x"\n[sizes]'), "renamed.x: x to y to x is a circle"),
    (("[sizes]", '[renamed]\nold = "prova-uno"\n[sizes]'), "renamed.old: a partner keeps its id"),
    (
        ("[sizes]", '[[notices]]\nversion = "2026-09"\n[sizes]'),
        "notices.1.version: 2026-09 appears twice",
    ),
]


@pytest.mark.parametrize(("change", "said"), NONSENSE)
def test_nonsense_is_refused_with_one_sentence(change: tuple[str, str], said: str) -> None:
    assert change[0] in BEFORE
    with pytest.raises(Misconfigured) as refused:
        read_text(BEFORE.replace(*change, 1), "prova.toml")
    assert said in str(refused.value)
    assert str(refused.value).startswith("prova.toml, line ")
    assert "\n" not in str(refused.value)


def test_a_wave_after_the_end_is_refused_unless_it_is_meant() -> None:
    late = BEFORE + T1.format(days=3650, more="")
    with pytest.raises(
        Misconfigured, match=r"surveys\.2\.due_days: T1/who5 is due on 2037-08-28 for whoever is admitted last"
    ):
        read_text(late, "prova.toml")
    meant = read_text(BEFORE + T1.format(days=3650, more="after_end = true\n"), "prova.toml").programme
    assert [each.id for each in meant.surveys if each.after_end] == ["T1/who5"]


@pytest.mark.parametrize(("days", "refused"), [(122, False), (123, True)])
def test_a_wave_counts_for_whoever_is_admitted_last(days: int, refused: bool) -> None:
    text = BEFORE + T1.format(days=days, more="")
    if refused:
        with pytest.raises(Misconfigured, match=r"T1/who5 is due on 2028-01-01 .* after the end \(2027-12-31\)"):
            read_text(text, "prova.toml")
    else:
        assert read_text(text, "prova.toml").programme.surveys[-1].due_days == days


def test_the_office_for_questions_is_the_contact_or_the_lead_partner() -> None:
    lead = read_text(BEFORE, "prova.toml").programme.office
    assert lead is not None
    assert lead.name == "Prova Uno"
    told = BEFORE.replace("[sizes]", '[contact]\nname = "Sportello"\nphone = "+39 039 1"\n[sizes]')
    office = read_text(told, "prova.toml").programme.office
    assert office is not None
    assert (office.name, office.phone, office.email) == ("Sportello", "+39 039 1", None)
    with pytest.raises(Misconfigured, match=r"contact\.phone: holds a control character"):
        read_text(told.replace("039 1", "039\\u0007"), "prova.toml")


def entries(part: str, number: int) -> str:
    """A file with so many more entries of a list."""
    tables = {
        "partners": 'name = "X"\nroles = ["referrer"]\nfeed = ["worker.referred"]\n',
        "slots": 'weekday = "monday"\nat = 10:00:00\n',
        "municipalities": 'name = "X"\nlat = 45.6\nlon = 8.1\n',
    }
    return BEFORE + "".join(f'[[{part}]]\nid = "x{each}"\n{tables[part]}' for each in range(number))


LONG = {
    "partners": entries("partners", 100),
    "slots": entries("slots", 100),
    "municipalities": entries("municipalities", 500),
    "surveys": BEFORE
    + "".join(
        f'[[surveys]]\nwave = "T{wave}"\ninstrument = "{instrument}"\ndue_days = 30\n'
        for instrument in ("who5", "rosenberg", "gse", "ama-own", "jobs2-depression")
        for wave in range(2, 10)
    ),
    "services": BEFORE
    + "".join(
        f'[[services]]\nid = "s{each}"\nname = "S"\nkind = "other"\norganization_id = "o"\norganization_name = "O"\n'
        for each in range(21)
    ),
    "holidays.days": BEFORE.replace("[sizes]", "[holidays]\ndays = [\n" + "2026-12-25,\n" * 201 + "]\n[sizes]"),
    "notices": BEFORE + "".join(f'[[notices]]\nversion = "v{each}"\n' for each in range(51)),
    "notices.languages": BEFORE + f'[[notices]]\nversion = "old"\nlanguages = {["it"] * 21}\n',
    "notice.languages": BEFORE.replace('languages = ["it"]', f"languages = {['it'] * 21}"),
    "partners.roles": entries("partners", 1).replace(
        'roles = ["referrer"]\nfeed', f"roles = {['referrer'] * 11}\nfeed"
    ),
    "partners.feed": entries("partners", 1).replace('feed = ["worker.referred"]', f"feed = {['worker.referred'] * 11}"),
    "targets": BEFORE.replace("[sizes]", "[targets]\n" + "".join(f"t{each} = 1\n" for each in range(101)) + "[sizes]"),
    "renamed": BEFORE.replace(
        "[sizes]", "[renamed]\n" + "".join(f'o{each} = "biella"\n' for each in range(201)) + "[sizes]"
    ),
}


@pytest.mark.parametrize("part", LONG)
def test_a_list_without_an_end_is_refused(part: str) -> None:
    with pytest.raises(Misconfigured, match=rf"\d+ entries, and {MOST[part]} are the most") as refused:
        read_text(LONG[part], "prova.toml")
    assert part == ".".join(each for each in str(refused.value).split(": ")[1].split(".") if not each.isdigit())


def test_every_list_of_a_programme_has_a_bound_that_is_tried_here() -> None:
    rich = read_text(entries("partners", 1) + '[[notices]]\nversion = "old"\n', "prova.toml").programme
    found = {".".join(each for each in where if isinstance(each, str)) for where, _ in lists_of(rich)}
    assert found == {*MOST}
    # Two traits are all there are, and the model refuses one that appears twice.
    assert {*LONG} == found - {"no_one_alone"}


def test_the_largest_programme_fits_on_the_bus() -> None:
    name, shipped = "\U0001f3e0" * 200, load_all()["monza-brianza"].model_dump(mode="json")
    ids = [f"{each:040}" for each in range(500)]
    sample = {part: shipped[part][0] | {"retired": True} for part in ("partners", "slots", "municipalities", "surveys")}
    feed = ["worker.withdrew"] * MOST["partners.feed"]
    large = shipped | {
        "title": name,
        "title_en": name,
        "partners": [
            sample["partners"] | {"id": id, "name": name, "roles": ["co-funder"] * 10, "feed": feed} for id in ids[:100]
        ],
        "slots": [sample["slots"] | {"id": id, "renamed": ids[0]} for id in ids[:100]],
        "municipalities": [sample["municipalities"] | {"id": id, "name": name, "renamed": ids[0]} for id in ids],
        "surveys": [sample["surveys"] | {"wave": f"T{each % 10}", "instrument": ids[each // 10]} for each in range(40)],
        "notices": [{"version": id, "languages": ["it"] * 20} for id in ids[:50]],
        "targets": dict.fromkeys(ids[:100], 10**6),
    }
    programme = Programme.model_validate_json(json.dumps(large))
    assert {len(each) for where, each in lists_of(programme) if where == ("municipalities",)} == {
        MOST["municipalities"]
    }
    assert len(published(programme, 10**6).model_dump_json().encode()) < 700_000


def test_the_shipped_programmes_can_be_meant() -> None:
    assert set(load_all()) == {"jobs2", "monza-brianza", "smoke"}
