"""`ama formation check` and `ama formation explain`: an answer from anywhere, judged and told.

Invariant: an answer is judged by rules and figures that were counted anew here; what it says of itself is compared, never believed.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

Asked = Annotated[Path, typer.Argument(metavar="PROBLEM", exists=True, dir_okay=False, help="a problem, as JSON")]
Said = Annotated[Path, typer.Argument(metavar="ANSWER", exists=True, dir_okay=False, help="an answer to it, as JSON")]


def check(problem: Asked, answer: Said) -> None:
    """Whether an answer breaks a rule: one line per violation, and exit status 1 if there is any."""
    asked, said = read("Problem", problem), read("Answer", answer)
    broken = _broken(asked, said)
    for line in broken:
        print(line)
    if broken:
        raise typer.Exit(1)
    for line in _formation("checking").inherited(asked):
        print(f"inherited, and no violation: {line}")
    Console().print(figures(asked, said))


def explain(
    problem: Asked,
    answer: Said,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="draw the groups, and the map if there are coordinates: .svg or .png"),
    ] = None,
) -> None:
    """Why groups stand where they do, what each is worth, who waits and why, and what would help."""
    asked, said = read("Problem", problem), read("Answer", answer)
    if broken := _broken(asked, said):
        sys.exit("\n".join(["This answer breaks rules, and is not explained:", *broken]))
    telling, told = _formation("telling"), _formation("explaining").Telling(asked, said)
    console = _wide()
    console.print(figures(asked, said))
    console.print(telling.groups(told.groups(), asked.attributes))
    if said.unplaced:
        console.print(telling.waiting(told.waiting()))
    for line in (*engine().explanations(asked, said), *told.changes()):
        console.print(line, markup=False, highlight=False)
    if plot is not None:
        _draw(asked, said, plot)


def engine() -> Any:
    """What the engine is asked by."""
    return importlib.import_module("grouping.formation")


def _formation(module: str) -> Any:
    """A module of the engine. It is found by name because the chassis knows none of the services that stand on it."""
    return importlib.import_module(f"grouping.formation.{module}")


def read(what: str, path: Path) -> Any:
    """A document, or one line for each place in it that is wrong."""
    try:
        return getattr(_formation("model"), what).model_validate(json.loads(path.read_bytes()))
    except json.JSONDecodeError as error:
        sys.exit(f"{path}: no JSON: {error}")
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, each['loc']))} {each['msg']}".strip() for each in error.errors())
        sys.exit("\n".join(f"{path}: {line}" for line in wrong))


def _broken(asked: Any, said: Any) -> list[str]:
    """Broken rules, else what the answer says of itself that is not so. Who is unknown has no figures."""
    broken: list[str] = _formation("checking").check(asked, said)
    return broken or list(_formation("measuring").false_claims(asked, said))


def figures(asked: Any, said: Any) -> Any:
    return _formation("telling").figures(
        _formation("measuring").measure(asked, said), len(said.groups), len(said.unplaced)
    )


def _draw(asked: Any, said: Any, to: Path) -> None:
    try:
        _formation("picture").draw(asked, said, to)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    except ImportError:
        sys.exit("A picture needs the extra `plot`: pip install 'ama-lavoro[plot]'")


def _wide() -> Console:
    """Rich's console; into a pipe a table keeps its lines whole."""
    console = Console()
    return console if console.is_terminal else Console(width=200)
