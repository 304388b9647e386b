"""A file that cannot be meant is refused with one sentence at its line."""

from pathlib import Path

import pytest

from services.programmes import load_all, read_text
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


def test_the_shipped_programmes_can_be_meant() -> None:
    assert set(load_all()) == {"jobs2", "monza-brianza", "smoke"}
