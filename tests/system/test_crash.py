"""Commands, and the events, effects and feeds that follow, while processes and engines are killed and frozen at random."""

import ast
from pathlib import Path

import pytest

from tests.system import chaos
from tests.system.chaos.campaign import Plan, campaign

KILLER, ORACLE = "killer", "oracle"
OURS = {"services", "enrolment", "grouping", "sessions", "notifications", "analytics"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "plan",
    [
        Plan(seed=7, kills=10, commands=400),
        pytest.param(Plan(seed=20260901, kills=50, commands=2000), marks=pytest.mark.long),
    ],
    ids=["briefly", "at-length"],
)
async def test_nothing_is_lost_and_nothing_doubled_whatever_is_killed_or_frozen_and_whenever(
    tmp_path: Path, plan: Plan
) -> None:
    outcome = await campaign(plan, tmp_path, print)
    print(outcome.closing)
    assert not outcome.findings, [f"{each.kind}: {each.what}" for each in outcome.findings[:20]]
    assert outcome.commands >= plan.commands
    assert sum(outcome.faults.values()) >= plan.kills


def test_killer_and_oracle_share_no_code_with_the_services() -> None:
    folder = Path(str(chaos.__file__)).parent
    judged = [folder / f"{KILLER}.py", *sorted((folder / ORACLE).glob("*.py"))]
    assert len(judged) > 8
    for path in judged:
        for imported in imports(path):
            allowed = not imported.startswith("tests.") or imported.startswith(f"tests.system.chaos.{ORACLE}")
            assert imported.partition(".")[0] not in OURS, f"{path.name} imports {imported}"
            assert allowed, f"{path.name} imports {imported}"


def imports(path: Path) -> list[str]:
    """Every module that a file imports."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(str(node.module))
    return found
