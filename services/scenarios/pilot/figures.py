"""The pilot's figures, from `GET /analytics/indicators`."""

from collections.abc import Sequence
from typing import Any

from services.scenarios.client import OPERATOR, ScenarioClient
from services.scenarios.pilot.people import Human


async def read_indicators(client: ScenarioClient, *, means: bool = False) -> dict[str, Any]:
    """The indicators, as any operator reads them. Whoever asks again and again asks without `means`: a look at a mean that is not
    complete yet would keep the next one from being shown until 10 people differ."""
    asked = "/analytics/indicators" + ("" if means else "?scores=false")
    read: dict[str, Any] = await client.act(OPERATOR, "GET", asked)
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


def complete(indicators: dict[str, Any], people: Sequence[Human]) -> bool:
    """Tell whether every act has arrived. Only counts are compared, so that wrong means would still be shown."""
    treated = sum(human.treated for human in people)
    expected = [len(people), len(people), treated, len(people) - treated, sum(human.complied for human in people)]
    found = [indicators[name] for name in ("referred", "admitted", "seated", "waiting", "took_part")]
    scored = {each["wave"]: each["scored"] for each in indicators["surveys"]}
    return found == expected and scored == scored | dict.fromkeys(("T0", "T2"), len(people))
