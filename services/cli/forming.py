"""`ama formation solve`: groups from a problem, with the best answer so far on the terminal.

Invariant: a written answer breaks no rule, also when Ctrl-C ended the search. Where the engine had to take people out of it for that, this
is said.
"""

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from services.cli import judging
from services.cli.terminal import Terminal, say_lines

SECONDS = 10.0
ADVICE = 0.2  # share of the time for changes that would help people without a seat


def solve(
    problem_file: judging.ProblemFile,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="ANSWER", help="The file; by default standard output.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help=f"Time limit; {SECONDS:g} unless --steps is given.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Number of steps; the same number and seed give the same answer.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random choices.")] = 0,
) -> None:
    """Form groups. Ctrl-C ends the search: the best answer so far is written, with exit status 0."""
    problem = judging.read("Problem", problem_file)
    if seconds is None and steps is None:
        seconds = SECONDS
    # Standard output is for the answer alone.
    console = Terminal(stderr=True)
    with console.status("searching for a timetable") as status:
        search_seconds, shown = seconds * (1 - ADVICE) if seconds else None, _Progress(status)
        answer = judging.engine().solve(problem, seed, seconds=search_seconds, steps=steps, progress=shown)
        # Whoever pressed Ctrl-C wants the answer now, so no further search follows.
        if answer.unplaced and not shown.enough:
            status.update("searching for what would help people without a seat")
            answer = judging.engine().advise(problem, answer, seconds=ADVICE * (seconds or SECONDS))
    # The check shares no code with the search: a defect of the search costs seats, and is reported.
    if answer.defects:
        console.print(
            "A defect of the search: people were taken out of the answer, by whom it broke a rule.",
            *answer.defects,
            sep="\n",
        )
    text = answer.model_dump_json(indent=2, exclude_none=True)
    if out is None:
        say_lines(text)
    else:
        judging.write(out, text + "\n")
        console.print(judging.figures(problem, answer))


class _Progress:
    """Shows the best answer so far. Returns True, which ends the search, once Ctrl-C was pressed."""

    def __init__(self, status: Any) -> None:
        self.status = status
        self.enough = False
        # A KeyboardInterrupt would end the search anywhere in it, and lose the best answer.
        signal.signal(signal.SIGINT, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.enough = True

    def __call__(self, so_far: Any) -> bool:
        diversity = f"diversity {so_far.diversity:.4f} of at most {so_far.bound:.4f} ({so_far.gap:.2%} less)"
        state = diversity if so_far.bound else "searching for a timetable"
        self.status.update(f"{so_far.seconds:.1f} s: {so_far.placed} placed, {state}; Ctrl-C accepts it")
        return self.enough
