"""Alert rules as files: promtool tests each at rest and firing, and each names a runbook that exists."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.alerts import brought
from tests.alerts.server import OPS, rules

RUNBOOKS = OPS.parents[1] / "docs" / "operations.md"
FIRING = re.compile(r'ALERTS\{alertname="(\w+)", alertstate="firing"\}')
PARTS = ("What it means", "How to look", "How to mend", "Over when")


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run([brought.program("promtool"), *words], cwd=OPS, capture_output=True, text=True, check=False)
    ran.stdout += ran.stderr
    return ran


def headings() -> dict[str, str]:
    """Texts of the operations page, by the anchor of their heading."""
    parts = re.split(r"^#+ (.+)$", RUNBOOKS.read_text(), flags=re.MULTILINE)[1:]
    anchors = [re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in parts[::2]]
    return dict(zip(anchors, parts[1::2], strict=True))


@pytest.mark.parametrize(
    "words", [("check", "config", "prometheus.yml"), ("test", "rules", "rules.test.yml")], ids=" ".join
)
def test_prometheus_itself_finds_rules_and_their_trials_right(words: tuple[str, ...]) -> None:
    ran = promtool(*words)
    assert ran.returncode == 0, ran.stdout
    assert "SUCCESS" in ran.stdout


def test_each_alert_is_tried_at_rest_and_firing() -> None:
    rest: set[str] = set()
    fire: set[str] = set()
    for case in yaml.safe_load((OPS / "rules.test.yml").read_text())["tests"]:
        for asked in case["promql_expr_test"]:
            if found := FIRING.fullmatch(asked["expr"]):
                (fire if asked["exp_samples"] else rest).add(found[1])
    assert rest == fire == {rule["alert"] for rule in rules()}


def test_a_threshold_that_is_moved_is_noticed(tmp_path: Path) -> None:
    moved = (OPS / "rules.yml").read_text().replace("ama_holes) > 0", "ama_holes) > 2")
    (tmp_path / "rules.yml").write_text(moved)
    (tmp_path / "rules.test.yml").write_text((OPS / "rules.test.yml").read_text())
    ran = promtool("test", "rules", str(tmp_path / "rules.test.yml"))
    assert ran.returncode == 1
    assert 'alertname=\\"Holes\\"' in ran.stdout


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_alert_says_how_bad_it_is_and_leads_to_its_runbook(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert page == "docs/operations.md"
    book = headings()[anchor]
    assert [part for part in PARTS if f"**{part}**" not in book] == []


def test_prometheus_that_cannot_be_brought_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AMA_CACHE", str(tmp_path))
    with pytest.raises(brought.NotBrought, match="put prometheus and promtool on the PATH"):
        brought.program("promtool")


def test_compose_shows_prometheus_to_this_machine_alone_and_mounts_what_is_there_to_read() -> None:
    (service,) = yaml.safe_load((OPS / "compose.yml").read_text())["services"].values()
    assert service["profiles"] == ["watch"]
    assert [port for port in service["ports"] if not port.startswith("127.0.0.1:")] == []
    for mount in service["volumes"]:
        source, _, rest = mount.partition(":")
        assert source == "prometheus" or ((OPS / source).is_file() and rest.endswith(":ro"))
