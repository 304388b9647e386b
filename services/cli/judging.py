"""`ama formation check` and `ama formation explain`, for an answer of any solver.

Invariant: rules and figures are computed here from the problem and the answer; the answer's own figures are compared, never trusted.
"""

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from services.cli.documents import json_of
from services.cli.terminal import refuse, say, wide

ProblemFile = Annotated[
    Path, typer.Argument(metavar="PROBLEM", help="A problem, as JSON; `ama formation example` writes one.")
]
AnswerFile = Annotated[Path, typer.Argument(metavar="ANSWER", help="An answer to the problem, as JSON.")]


def check(problem_file: ProblemFile, answer_file: AnswerFile) -> None:
    """Check an answer against the rules. Prints one line per violation; exit status 1 if there is one."""
    problem, answer = read("Problem", problem_file), read("Answer", answer_file)
    broken = _broken(problem, answer)
    for line in broken:
        say(line)
    if broken:
        raise typer.Exit(1)
    # Frozen seats may break a rule already, and no solver may move them: that is no fault of the answer.
    for line in _formation("checking").inherited(problem):
        say(f"inherited, and no violation: {line}")
    wide().print(figures(problem, answer))


def explain(
    problem_file: ProblemFile,
    answer_file: AnswerFile,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the groups, and a map if there are coordinates: .svg or .png."),
    ] = None,
) -> None:
    """Explain an answer: the score of each group and its parts, and for people without a seat the reason and what would help."""
    problem, answer = read("Problem", problem_file), read("Answer", answer_file)
    if broken := _broken(problem, answer):
        refuse("This answer breaks rules, so it is not explained:", *broken)
    telling, explanation = _formation("telling"), _formation("explaining").Telling(problem, answer)
    console = wide()
    console.print(figures(problem, answer))
    console.print(telling.groups(explanation.groups(), problem.attributes))
    if answer.unplaced:
        console.print(telling.waiting(explanation.waiting()))
    for line in (*engine().explanations(problem, answer), *explanation.changes()):
        console.print(line)
    if plot is not None:
        _draw(problem, answer, plot)


def engine() -> Any:
    """The public interface of the formation engine."""
    return importlib.import_module("grouping.formation")


def _formation(module: str) -> Any:
    """A module of the engine, imported by name: no import of the chassis may name a service."""
    return importlib.import_module(f"grouping.formation.{module}")


def read(kind: str, path: Path) -> Any:
    """A document of this kind. Otherwise the command ends with one line for each fault in it."""
    try:
        return getattr(_formation("model"), kind).model_validate(json_of(path))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, each['loc']))} {each['msg']}".strip() for each in error.errors())
        refuse(*(f"{path}: {line}" for line in faults))


def write(path: Path, text: str) -> None:
    """Write an answer; the command ends with one line when that cannot be."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        refuse(f"{path} cannot be written: {error.strerror or error}.")


def _broken(problem: Any, answer: Any) -> list[str]:
    """Broken rules; without any, the answer's own figures that are wrong. People whom the problem does not know have no figures."""
    broken: list[str] = _formation("checking").check(problem, answer)
    return broken or list(_formation("measuring").false_claims(problem, answer))


def figures(problem: Any, answer: Any) -> Any:
    """The figures of an answer as a table."""
    measured = _formation("measuring").measure(problem, answer)
    return _formation("telling").figures(measured, len(answer.groups), len(answer.unplaced))


def _draw(problem: Any, answer: Any, to: Path) -> None:
    try:
        _formation("picture").draw(problem, answer, to)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    except ImportError:
        refuse("A picture needs the extra `plot`: pip install 'ama-lavoro[plot]'")
