"""`ama formation solve`: groups from a problem, with the best so far shown while it is looked for.

Invariant: what is written breaks no rule, also when Ctrl-C ended the search; the judge's rules are asked once more before it is written.
"""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console

from services.cli import judging

SECONDS = 10.0
ADVICE = 0.2  # of the time goes into what would help those who wait


def solve(
    problem: judging.Asked,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="ANSWER", help="where to; standard output otherwise")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help=f"how long to look; {SECONDS:g} unless --steps is given")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="how many steps: the same number and seed give the same answer")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="what is left to chance is drawn with it")] = 0,
) -> None:
    """Form groups. Ctrl-C ends the search with the best so far, which is written as any answer is: exit status 0."""
    asked = judging.read("Problem", problem)
    if seconds is None and steps is None:
        seconds = SECONDS
    console = Console(stderr=True)
    with console.status("looking for a timetable") as status:
        looking, shown = seconds * (1 - ADVICE) if seconds else None, _Shown(status)
        answer = judging.engine().solve(asked, seed, seconds=looking, steps=steps, progress=shown)
        if answer.unplaced and not shown.enough:
            status.update("looking for what would help those who wait")
            answer = judging.engine().advise(asked, answer, seconds=ADVICE * (seconds or SECONDS))
    if broken := judging.engine().check(asked, answer):
        sys.exit("\n".join(["This is a defect of the engine, nothing was written:", *broken]))
    told = answer.model_dump_json(indent=2, exclude_none=True) + "\n"
    if out is None:
        sys.stdout.write(told)
    else:
        out.write_text(told)
        console.print(judging.figures(asked, answer))


class _Shown:
    """The best so far, on the terminal; True once Ctrl-C was pressed."""

    def __init__(self, status: Any) -> None:
        self.status = status
        self.enough = False
        signal.signal(signal.SIGINT, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.enough = True

    def __call__(self, so_far: Any) -> bool:
        good = f"diversity {so_far.diversity:.4f} of at most {so_far.bound:.4f} ({so_far.gap:.2%} less)"
        doing = good if so_far.bound else "looking for a timetable"
        self.status.update(f"{so_far.seconds:.1f} s: {so_far.placed} placed, {doing}; Ctrl-C takes it")
        return self.enough
