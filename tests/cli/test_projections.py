"""The name of a projection, which `ama projections rebuild` does not need any more."""

import pytest

from services.cli.projections import explain
from services.settings import Misconfigured

KNOWN = ["path", "scores"]


def test_a_name_is_accepted_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    explain("analytics", "path", KNOWN)
    said = " ".join(capsys.readouterr().err.split())
    assert said == "The read models of analytics are rebuilt together: path, scores. A name is not needed."


def test_without_a_name_nothing_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    explain("analytics", None, KNOWN)
    assert capsys.readouterr().err == ""


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(Misconfigured, match="analytics has no projection pathh; it has: path, scores"):
        explain("analytics", "pathh", KNOWN)
