"""`ama formation example`: a small problem to begin with, and to change.

Invariant: the file is the same each time, nobody in it exists, and no file is overwritten.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.terminal import Terminal, refuse

PEOPLE = 27  # enough for two groups, and one person whom no group fits
SLOTS = ("mon-evening", "tue-evening", "wed-morning", "thu-evening")
TOWNS = {"monza": (45.584, 9.274), "lissone": (45.612, 9.243), "desio": (45.62, 9.212), "vimercate": (45.613, 9.369)}
KM = ((0, 4, 7, 10), (4, 0, 3, 13), (7, 3, 0, 16), (10, 13, 16, 0))  # by road, in the order of the towns
AGES = ("18-34", "35-49", "50 or more")


def example(
    file: Annotated[Path, typer.Argument(metavar="[PROBLEM]", help="The file to write. It must not exist.")] = Path(
        "problem.json"
    ),
) -> None:
    """Write a small problem with 27 invented people, to try the other commands on and to change by hand."""
    import json

    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(json.dumps(problem(), indent=1) + "\n")
    except FileExistsError:
        refuse(f"{file} is there already: name another file.")
    except OSError as error:
        refuse(f"{file} cannot be written: {error.strerror or error}.")
    told = Terminal()
    told.print(f"{file}: {PEOPLE} people, 3 facilitators and 3 places; groups of 10 to 15.", soft_wrap=True)
    told.print(f"Next: ama formation solve {file} -o answer.json", soft_wrap=True)
    told.print(f"Then: ama formation explain {file} answer.json --plot groups.svg", soft_wrap=True)


def problem() -> dict[str, Any]:
    """The document. Each figure of a person comes from their number, so that it needs no chance."""
    towns = list(TOWNS)
    return {
        "size": [10, 15],
        "attributes": {
            "gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": True},
            "age": {"kind": "ordinal", "levels": list(AGES)},
        },
        "slots": list(SLOTS),
        "municipalities": towns,
        "km": [list(row) for row in KM],
        "coordinates": {name: list(place) for name, place in TOWNS.items()},
        "people": [_person(number, towns) for number in range(1, PEOPLE + 1)],
        "facilitators": [
            {
                "id": "carla",
                "municipality": "monza",
                "travel_km": 20,
                "slots": ["mon-evening", "thu-evening"],
                "groups": 1,
            },
            {
                "id": "dario",
                "municipality": "desio",
                "travel_km": 15,
                "slots": ["tue-evening", "wed-morning"],
                "groups": 2,
            },
            {"id": "elena", "municipality": "vimercate", "travel_km": 10, "slots": ["thu-evening"], "groups": 1},
        ],
        "places": [
            {"id": "library-monza", "municipality": "monza", "rooms": 1, "access": True},
            {"id": "hall-lissone", "municipality": "lissone", "rooms": 1},
            {"id": "centre-vimercate", "municipality": "vimercate", "rooms": 1},
        ],
        "apart": [["p03", "p04"]],
        "together": [["p01", "p02"]],
    }


def _person(number: int, towns: list[str]) -> dict[str, Any]:
    # The last one lives farther from every place than they can travel, so that an answer has somebody to explain.
    last = number == PEOPLE
    return {
        "id": f"p{number:02}",
        "municipality": "desio" if last else towns[number % len(towns)],
        "travel_km": 2 if last else 20,
        "slots": [slot for slot in SLOTS if slot not in (SLOTS[number % 4], SLOTS[number // 4 % 4])],
        "waiting_days": 5 * number % 60,
        "attributes": {"gender": "fm"[number // 3 % 2], "age": AGES[number % len(AGES)]},
    }
