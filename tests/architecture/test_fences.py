"""Each import fence catches a breach: one is planted in a copy of the packages, and import-linter must name it."""

import ast
import io
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from importlinter.application import output
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "partner" / "python"
CONFIGURED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract["name"] for contract in CONFIGURED["contracts"]}
configure()  # as its command does
DECIDING = ("enrolment", "grouping", "sessions", "notifications")  # analytics decides nothing, so has no domain


class Breach(NamedTuple):
    """An import that a contract forbids, and the module that it is planted in."""

    contract: str
    module: str
    imported: str


BREACHES = [
    Breach("siblings", "enrolment.domain", "grouping.domain"),
    Breach("lists", "enrolment.lists.reading", "enrolment.lists.rows"),
    Breach("siblings", "analytics.projections", "enrolment.projections"),
    Breach("chassis", "services.runtime.service", "enrolment.domain"),
    Breach("chassis", "services.cli", "enrolment.app"),
    Breach("packages", "services.kernel", "services.contracts"),
    Breach("packages", "services.kernel", "services.settings"),
    Breach("packages", "services.settings", "services.kernel"),
    Breach("packages", "services.vault.keyring", "services.store.mongo"),
    Breach("packages", "services.store.unit", "services.events.delivery.state"),
    Breach("packages", "services.store.unit", "services.consumer"),
    Breach("packages", "services.identity.auth", "services.web.problem"),
    Breach("packages", "services.events.inbox.runner", "services.runtime.service"),
    Breach("packages", "services.web.run", "services.runtime.service"),
    Breach("packages", "services.web.frame.frame", "services.operations.console.wording"),
    Breach("packages", "services.operations.console.app", "services.front.people"),
    Breach("packages", "services.runtime.service", "services.operations.replay"),
    Breach("packages", "services.operations.replay", "services.embedded.home"),
    Breach("packages", "services.embedded.home", "services.scenarios.smoke"),
    Breach("packages", "services.runtime.service", "services.cli"),
    Breach("events", "services.events.bus.client", "services.events.outbox.relay"),
    Breach("events", "services.events.outbox.relay", "services.events.inbox.runner"),
    Breach("events", "services.events.delivery.take", "services.events.bus.client"),
    Breach("contracts", "services.contracts.envelope", "services.kernel"),
    Breach("contracts", "services.contracts.envelope", "services.store.mongo"),
    Breach("delivery", "services.events.delivery.take", "services.store.mongo"),
    Breach("delivery", "services.events.delivery.state", "services.vault"),
    Breach("consumer", "services.consumer.taker", "services.store.mongo"),
    Breach("consumer", "services.consumer.partner", "services.events.bus.client"),
    Breach("consumer", "services.consumer.sqlite", "services.settings"),
    Breach("kit", "services.consumer.mongo", "pymongo"),
    Breach("kit", "services.consumer.partner", "faststream"),
    Breach("driver", "services.consumer.mongo", "bson"),
    Breach("engines", "services.engines.kafka", "services.settings"),
    Breach("console", "services.operations.console.app", "services.store.mongo"),
    Breach("console", "services.operations.console.live", "services.runtime.service"),
    Breach("console", "services.operations.console.services_client", "pymongo"),
    Breach("motor", "services.events.inbox.state", "motor.motor_asyncio"),
    Breach("motor", "grouping.membership.commands", "motor.motor_asyncio"),
    Breach("driver", "enrolment.projections", "pymongo"),
    Breach("driver", "services.events.outbox.relay", "bson"),
    Breach("administration", "services.events.bus.client", "confluent_kafka"),
    Breach("administration", "services.operations.provision.kafka", "confluent_kafka.admin"),
    Breach("app", "enrolment.api", "enrolment.app"),
    Breach("app", "services.runtime.serving", "grouping.app"),
    Breach("enrolment", "enrolment.commands", "enrolment.projections"),
    Breach("enrolment", "enrolment.commands", "enrolment.reactions"),
    Breach("enrolment", "enrolment.commands", "enrolment.queries"),
    Breach("grouping", "grouping.projections", "grouping.membership.api"),
    Breach("grouping", "grouping.fitting", "grouping.membership.commands"),
    Breach("grouping", "grouping.membership.commands", "grouping.proposals.queries"),
    Breach("grouping", "grouping.pairs.api", "grouping.registers.api"),
    Breach("enrolment", "enrolment.people.queries", "enrolment.personal.commands"),
    Breach("enrolment-slices", "enrolment.people.index", "enrolment.people.pages"),
    Breach("enrolment-slices", "enrolment.programmes.domain", "enrolment.programmes.commands"),
    Breach("enrolment-slices", "enrolment.programmes.queries", "enrolment.programmes.commands"),
    Breach("slices", "grouping.membership.commands", "grouping.membership.api"),
    Breach("slices", "grouping.membership.commands", "grouping.membership.queries"),
    Breach("slices", "grouping.pairs.queries", "grouping.pairs.commands"),
    Breach("slices", "grouping.membership.lists", "grouping.membership.pages"),
    Breach("sessions", "sessions.survey_page", "sessions.pages"),
    Breach("sessions", "sessions.commands", "sessions.queries"),
    Breach("meetings", "sessions.meetings.roll", "sessions.meetings.pages"),
    Breach("sessions", "sessions.queries", "sessions.commands"),
    Breach("notifications", "notifications.commands", "notifications.queries"),
    Breach("notifications", "notifications.queries", "notifications.commands"),
    Breach("notifications", "notifications.mail_queue", "notifications.commands"),
    Breach("analytics", "analytics.indicators", "analytics.api"),
    *(Breach("domain", f"{room}.domain", "services.store.work") for room in DECIDING),
    Breach("domain", "enrolment.domain", "enrolment.commands"),
    Breach("domain", "grouping.domain", "services.programmes"),
    Breach("commands", "enrolment.commands", "services.store.mongo"),
    Breach("commands", "grouping.membership.commands", "services.events.bus.client"),
    Breach("commands", "grouping.registers.commands", "services.store.mongo"),
    Breach("queries", "grouping.membership.queries", "grouping.pairs.commands"),
    Breach("queries", "enrolment.queries", "enrolment.commands"),
    Breach("queries", "enrolment.queries", "services.events.bus.client"),
    Breach("reactions", "grouping.reactions", "services.store.mongo"),
    Breach("reactions", "grouping.reactions", "services.web"),
    Breach("projections", "enrolment.projections", "enrolment.domain"),
    Breach("projections", "grouping.projections", "services.store.work"),
    Breach("projections", "grouping.projections", "grouping.pairs.commands"),
    Breach("projections", "analytics.projections", "services.store.work"),
    Breach("routes", "enrolment.api", "services.store.mongo"),
    Breach("routes", "grouping.membership.api", "grouping.reactions"),
    Breach("routes", "grouping.proposals.api", "services.store.work"),
    Breach("routes", "sessions.pages", "services.runtime.service"),
    Breach("routes", "grouping.membership.pages", "services.store.work"),
    Breach("judge", "grouping.formation.checking", "grouping.formation.seating"),
    Breach("judge", "grouping.formation.measuring", "grouping.formation.scoring"),
    Breach("judge", "grouping.formation.measuring", "grouping.formation.bound"),
    Breach("formation", "grouping.formation.search", "grouping.domain"),
    Breach("formation", "grouping.formation.pool", "services.kernel"),
    Breach("stores", "notifications.mail_queue", "services.events.bus.client"),
    Breach("pure", "enrolment.domain", "httpx"),
    Breach("pure", "services.kernel", "fastapi"),
    Breach("pure", "services.contracts.envelope", "aiokafka"),
]


FIRST = {breach.contract: breach for breach in reversed(BREACHES)}
# One of each fence in every run: import-linter reads all modules anew for each.
TRIED = [
    pytest.param(each, id="-".join(each), marks=() if each == FIRST[each.contract] else pytest.mark.long)
    for each in BREACHES
]


CIRCLES = [
    Breach("acyclic", "services.runtime.levels", "services.runtime.gauges"),
    Breach("acyclic", "services.engines.jars", "services.engines.embedded"),
    Breach("acyclic", "sessions.queries", "sessions.api"),
]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and of the fences, to be damaged."""
    copy = tmp_path_factory.mktemp("packages")
    for package in CONFIGURED["root_packages"]:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


class Linted(NamedTuple):
    """Output of import-linter, and the status that its command would end with."""

    returncode: int
    stdout: str


def lint(folder: Path, *contracts: str) -> Linted:
    """import-linter on these packages, for these contracts or for all. It runs in this process, where it is loaded once."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # Packages in the folder are found before those that are installed, and before those that other tests imported.
        patch.syspath_prepend(str(folder))
        for package in CONFIGURED["root_packages"]:
            patch.delitem(sys.modules, package, raising=False)
        patch.setattr(output.console, "file", printed)
        # Only the module in which a breach is planted is read anew.
        kept = lint_imports(limit_to_contracts=contracts, cache_dir=str(folder / "cache"), no_logo=True)
    return Linted(0 if kept else 1, printed.getvalue())


def file_of(folder: Path, module: str) -> Path:
    """The file that holds a module, be it a file or a package."""
    path = folder.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def lint_planted(packages: Path, breach: Breach) -> tuple[Linted, int]:
    """Plant the import, and check its contract, which must be broken. Returns the run, and the line of the import."""
    planted = file_of(packages, breach.module)
    whole = planted.read_text()
    planted.write_text(f"{whole}\nimport {breach.imported}\n")
    try:
        done = lint(packages, breach.contract)
    finally:
        planted.write_text(whole)
    assert done.returncode == 1, done.stdout
    return done, len(whole.splitlines()) + 2


def test_the_packages_as_they_are_break_no_fence(packages: Path) -> None:
    done = lint(packages)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_every_fence_is_tried() -> None:
    assert {breach.contract for breach in [*BREACHES, *CIRCLES]} == CONTRACTS.keys()


@pytest.mark.parametrize(
    ("package", "contract"),
    [
        ("services", "packages"),
        ("services/events", "events"),
        ("grouping/membership", "slices"),
        *((room, room) for room in (*DECIDING, "analytics")),
    ],
)
def test_a_module_that_no_layer_names_is_refused(packages: Path, package: str, contract: str) -> None:
    stray = packages / package / "stray.py"
    stray.write_text("")
    try:
        done = lint(packages, contract)
    finally:
        stray.unlink()
    assert done.returncode == 1, done.stdout
    assert "stray" in done.stdout


def test_no_module_is_a_file_and_a_folder_at_once() -> None:
    files = [path for package in CONFIGURED["root_packages"] for path in (ROOT / package).rglob("*.py")]
    assert [path for path in files if (path.with_suffix("") / "__init__.py").exists()] == []


@pytest.mark.parametrize("breach", TRIED)
def test_a_planted_breach_is_caught(packages: Path, breach: Breach) -> None:
    done, line = lint_planted(packages, breach)
    assert "0 kept, 1 broken" in done.stdout
    assert f"\n{CONTRACTS[breach.contract]}\n---" in done.stdout
    external = breach.imported.split(".")[0] not in CONFIGURED["root_packages"]
    target = breach.imported.split(".")[0] if external else breach.imported
    assert f"{breach.module} -> {target} (l.{line})" in done.stdout


@pytest.mark.parametrize("breach", CIRCLES, ids=lambda breach: "-".join(breach))
def test_a_planted_circle_is_caught(packages: Path, breach: Breach) -> None:
    done, _ = lint_planted(packages, breach)
    assert "No cycles are allowed in" in done.stdout


def test_the_partners_example_stands_on_the_kit_and_the_contracts_alone() -> None:
    own = {path.stem for path in EXAMPLE.glob("*.py")}
    for path in EXAMPLE.glob("*.py"):
        for name in imported(ast.parse(path.read_text())):
            ours = name == "services.consumer" or name.split(".")[:2] == ["services", "contracts"]
            assert ours or name.split(".")[0] in sys.stdlib_module_names | own, f"{path.name} imports {name}"


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that a program imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
