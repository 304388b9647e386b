"""The wording that an operator loads beside the programmes makes an instrument one that people can be sent."""

from pathlib import Path

import pytest

from services.programmes import worded
from services.programmes.instruments import load_all
from services.settings import Misconfigured

WHO5 = """
title = "Indice di benessere"
introduction = "Nelle ultime due settimane"
answers = ["Mai", "Di rado", "A volte", "Spesso", "Quasi sempre", "Sempre"]

[items]
i1 = "Prima"
i2 = "Seconda"
i3 = "Terza"
i4 = "Quarta"
i5 = "Quinta"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "instruments").mkdir()
    return tmp_path


def write(folder: Path, text: str, name: str = "who5.it.toml") -> Path:
    (folder / "instruments" / name).write_text(text)
    return folder


@pytest.mark.parametrize("there", [True, False])
def test_without_files_there_is_the_wording_that_is_shipped(tmp_path: Path, there: bool) -> None:
    found = worded(tmp_path if there else None)
    assert found == load_all()
    assert [each.id for each in found.values() if each.languages] == ["ama-own"]


def test_a_file_gives_an_instrument_its_wording_in_one_language_and_changes_no_scoring(folder: Path) -> None:
    found = worded(write(folder, WHO5))
    loaded, shipped = found["who5"], load_all()["who5"]
    assert loaded.languages == ["it"]
    assert [item.text["it"] for item in loaded.items] == ["Prima", "Seconda", "Terza", "Quarta", "Quinta"]
    assert (loaded.titles, loaded.introduction) == (
        {"it": "Indice di benessere"},
        {"it": "Nelle ultime due settimane"},
    )
    assert loaded.answers["it"][5] == "Sempre"
    assert (loaded.scales, loaded.least, loaded.most) == (shipped.scales, shipped.least, shipped.most)
    assert shipped.languages == [], "what is shipped stays as it is"
    assert {id: each for id, each in found.items() if id != "who5"} == {
        id: each for id, each in load_all().items() if id != "who5"
    }


def test_an_own_wording_stands_in_for_one_that_is_shipped(folder: Path) -> None:
    lines = [f'{item.id} = "Frase {number}"' for number, item in enumerate(load_all()["ama-own"].items)]
    found = worded(write(folder, "[items]\n" + "\n".join(lines), "ama-own.it.toml"))["ama-own"]
    assert found.items[0].text["it"] == "Frase 0"
    assert found.items[0].text["en"] == load_all()["ama-own"].items[0].text["en"]
    assert found.titles == load_all()["ama-own"].titles


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("who5.it.toml", WHO5.replace('i3 = "Terza"', ""), "items.i3: its text is missing"),
        ("who5.it.toml", WHO5 + 'i6 = "Sesta"', "items.i6: who5 has no such item"),
        ("who5.it.toml", WHO5.replace('"Prima"', '" "'), "items.i1: string should have at least 1 character"),
        ("who5.it.toml", WHO5.replace('"Mai", ', ""), "answers it: not one label for each answer"),
        ("who5.it.toml", WHO5.replace("title", "titolo"), "titolo: extra inputs are not permitted"),
        ("who5.it.toml", "items = {", "not TOML in UTF-8"),
        ("who5.it.toml", "[" * 5000, "not TOML in UTF-8"),
        ("who5.it.toml", "x" * 70_000, "more than 64 KB"),
        ("who-5.it.toml", WHO5, "there are the instruments ama-own, gse"),
        ("who5.toml", WHO5, "name it {id}.{language}.toml"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_one_sentence_that_names_it(
    folder: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        worded(write(folder, text, name))
    assert str(refused.value).startswith(f"instruments/{name}: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
