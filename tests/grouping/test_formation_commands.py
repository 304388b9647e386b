"""`ama formation check` and `ama formation explain`, as they are typed."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.formation.generator import plant

AMA = Path(sys.executable).with_name("ama")


def ama(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(AMA), "formation", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A problem with people for whom there is no seat, and its answer."""
    problem, answer = plant(60, 1, "infeasible")
    told = answer.model_dump(mode="json", exclude={"score"})
    told["unplaced"][0]["helps"] = [
        {"change": "slot", "to": "tue-evening"},
        {"change": "facilitator_slot", "of": "f0", "to": "fri-evening", "places": 12},
    ]
    asked_at, told_at = tmp_path / "problem.json", tmp_path / "answer.json"
    asked_at.write_text(problem.model_dump_json(by_alias=True))
    told_at.write_text(json.dumps(told))
    return asked_at, told_at


def until_said(terminal: int, words: bytes) -> None:
    """Read what is written to the terminal until these words appear."""
    said = b""
    while words not in said:
        said = said[-1000:] + os.read(terminal, 1000)


def test_ctrl_c_takes_the_best_so_far(tmp_path: Path) -> None:
    asked_at, told_at = tmp_path / "problem.json", tmp_path / "answer.json"
    asked_at.write_text(plant(300, 1).problem.model_dump_json(by_alias=True))
    ours, theirs = pty.openpty()
    command = [str(AMA), "formation", "solve", str(asked_at), "-o", str(told_at), "--seconds", "600"]
    with subprocess.Popen(command, stderr=theirs, env=os.environ | {"TERM": "xterm", "COLUMNS": "200"}) as process:
        until_said(ours, b"diversity")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    done = ama("check", asked_at, told_at)
    assert done.returncode == 0, done.stderr
    assert "300 in 20 groups, 0 wait" in done.stdout


def change(path: Path, how: Any) -> None:
    document = json.loads(path.read_text())
    how(document)
    path.write_text(json.dumps(document))


def test_an_answer_that_breaks_nothing_passes_and_is_measured(files: tuple[Path, Path]) -> None:
    done = ama("check", *files)
    assert done.returncode == 0, done.stderr
    assert "45 in 3 groups, 15 wait" in done.stdout


def test_each_violation_is_a_line_and_the_exit_status_says_so(files: tuple[Path, Path]) -> None:
    def spoil(told: dict[str, Any]) -> None:
        told["groups"][0]["members"] = told["groups"][0]["members"][:9]
        told["groups"][1]["place"] = "v-unknown"

    change(files[1], spoil)
    done = ama("check", *files)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert "g0 has too few members" in lines
    assert "g1 meets at v-unknown, which is no place" in lines
    assert len([line for line in lines if line.endswith("stands in the answer 0 times")]) == 6


def test_an_answer_that_boasts_does_not_pass(files: tuple[Path, Path]) -> None:
    change(files[1], lambda told: told.update(score={"placed": 60, "diversity": 5.0, "together": 3, "bound": 0.1}))
    done = ama("check", *files)
    assert done.returncode == 1
    said = [line.split(" ")[0] for line in done.stdout.splitlines()]
    assert said == ["score.placed", "score.diversity", "score.bound"]


def test_what_is_no_problem_is_named_by_its_place_in_the_document(files: tuple[Path, Path]) -> None:
    whole = files[1].read_text()
    files[1].write_text("{")
    assert "answer.json: no JSON" in ama("check", *files).stderr
    files[1].write_text(whole)
    change(files[0], lambda asked: asked["people"][3].update(travel_km="far"))
    done = ama("check", *files)
    assert done.returncode == 1
    assert "problem.json: people.3.travel_km" in done.stderr


def test_it_is_told_why_groups_stand_there_and_what_would_help_who_waits(files: tuple[Path, Path]) -> None:
    done = ama("explain", *files)
    assert done.returncode == 0, done.stderr
    asked, told = (json.loads(path.read_text()) for path in files)
    waiting = told["unplaced"][0]["id"]
    assert f"│ {waiting} " in done.stdout
    assert "if they could attend tue-evening: 1 placed" in done.stdout
    assert done.stdout.splitlines()[-1] == "if f0 were free in fri-evening: 12 placed"
    assert "people wait" in done.stdout.splitlines()[-2]
    town = {name: number for number, name in enumerate(asked["municipalities"])}
    where = {each["id"]: town[each["municipality"]] for each in asked["places"]}
    for group in told["groups"]:
        near = [
            each for each in asked["people"] if asked["km"][town[each["municipality"]]][where[group["place"]]] <= 35
        ]
        could = sum(group["slot"] in each["slots"] for each in near)
        row = done.stdout.split(f"│ {group['id']} ")[1].splitlines()[0]
        assert f"15 of {could} who could come there then" in row
    for name in asked["attributes"]:
        assert name in done.stdout


def test_an_answer_that_breaks_rules_is_not_explained(files: tuple[Path, Path]) -> None:
    change(files[1], lambda told: told["groups"].pop())
    done = ama("explain", *files)
    assert done.returncode == 1
    assert "stands in the answer 0 times" in done.stderr


@pytest.mark.long
def test_groups_and_places_are_drawn_as_svg_and_as_png(files: tuple[Path, Path], tmp_path: Path) -> None:
    assert ama("explain", *files, "--plot", tmp_path / "groups.svg").returncode == 0
    drawn = ElementTree.parse(tmp_path / "groups.svg")
    words = {"".join(each.itertext()) for each in drawn.iter("{http://www.w3.org/2000/svg}text")}
    told = json.loads(files[1].read_text())
    assert {"gender", "sector", "18-27", "km north"} <= words
    assert {each["id"] for each in told["groups"]} <= words
    assert any(word.startswith(f"{told['groups'][0]['place']}: ") for word in words)
    assert ama("explain", *files, "--plot", tmp_path / "groups.png").returncode == 0
    assert (tmp_path / "groups.png").read_bytes().startswith(b"\x89PNG")
    refused = ama("explain", *files, "--plot", tmp_path / "groups.gif")
    assert refused.returncode == 2
    assert "groups.gif ends neither in" in refused.stderr


def test_without_coordinates_there_is_no_map(files: tuple[Path, Path], tmp_path: Path) -> None:
    change(files[0], lambda asked: asked.pop("coordinates"))
    assert ama("explain", *files, "--plot", tmp_path / "groups.svg").returncode == 0
    assert "km north" not in (tmp_path / "groups.svg").read_text()
