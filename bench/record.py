"""The files of the figures: `latest.json` with the newest ones, and `history.jsonl` with what each run measured.

Invariants: all rows of `latest.json` are of one commit. A run of some figures keeps the others only if they are of the same commit; those
of an earlier one are in the history. Figures of changes that are not committed are written to neither file.
"""

import json
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.harness import Figure

HERE = Path(__file__).parent
LATEST, HISTORY = HERE / "latest.json", HERE / "history.jsonl"


def commit_of(folder: Path) -> str | None:
    """Return the commit of a working tree, or None when it has changes (other than in the two files of figures) or is none of git's."""
    apart = [f":(top,exclude)bench/{each.name}" for each in (LATEST, HISTORY)]
    try:
        changes = _git(folder, "status", "--porcelain", "--", ":(top)", *apart)
        return None if changes else _git(folder, "rev-parse", "--short=12", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        return None


def write(figures: Iterable[Figure], order: list[str], commit: str | None, to: Path) -> list[str]:
    """Write the figures, in this order of names, beside those of the same commit. Returns the names that were left out as older."""
    stored = {each["name"]: each for each in (json.loads(to.read_text()) if to.exists() else ())}
    known = {name: each for name, each in stored.items() if commit is not None and each.get("commit") == commit}
    known |= {each.name: {**each.document(), "commit": commit} for each in figures}
    to.write_text(json.dumps([known[name] for name in order if name in known], indent=1) + "\n")
    return [name for name in stored if name not in known]


def append(figures: Iterable[Figure], commit: str, to: Path) -> None:
    """Add a line with the figures of one run."""
    line: dict[str, Any] = {"commit": commit, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    line["figures"] = [each.document() for each in figures]
    with to.open("a") as history:
        history.write(json.dumps(line) + "\n")


def _git(folder: Path, *arguments: str) -> str:
    asked = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S607  # git as found
    return asked.stdout.strip()
