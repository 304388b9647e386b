"""The pilot's figures, out of what `GET /analytics/indicators` says."""

from collections.abc import Sequence
from typing import Any

from services.pilot.people import Human
from services.pilot.play import OPERATOR, Stage


async def read_indicators(stage: Stage) -> dict[str, Any]:
    """As any operator reads them."""
    read: dict[str, Any] = await stage.act(OPERATOR, "GET", "/analytics/indicators")
    return read


def figures_of(indicators: dict[str, Any]) -> dict[str, Any]:
    """The figures by which the study is recognised."""
    counts = {name: indicators[name] for name in ("referred", "admitted", "seated", "waiting", "took_part", "groups")}
    means = {
        each["wave"]: {who: each[who]["mean"] for who in ("seated", "waiting")}
        for each in indicators["means"]
        if each["instrument"] == "jobs2-depression"
    }
    return {**counts, "means": means}


def complete(figures: dict[str, Any], people: Sequence[Human]) -> bool:
    """Whether everything that was done has arrived: a question of counts, so that wrong means would still be shown."""
    treated = [human for human in people if human.treated]
    expected = (
        len(people),
        len(people),
        len(treated),
        len(people) - len(treated),
        sum(human.complied for human in people),
    )
    found = tuple(figures[name] for name in ("referred", "admitted", "seated", "waiting", "took_part"))
    return found == expected and set(figures["means"]) == {"T0", "T2"}
