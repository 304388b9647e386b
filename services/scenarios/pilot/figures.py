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


async def seats_given(client: ScenarioClient) -> int:
    """The number of seats that grouping has given."""
    groups = await client.act(OPERATOR, "GET", "/grouping/groups")
    return sum(int(each["members"]) for each in groups)


def figures_of(indicators: dict[str, Any]) -> dict[str, Any]:
    """The figures by which the study is recognised."""
    counts = {name: indicators[name] for name in ("referred", "admitted", "seated", "waiting", "took_part", "groups")}
    means = {
        each["wave"]: {who: each[who]["mean"] for who in ("seated", "waiting")}
        for each in indicators["means"]
        if each["instrument"] == "jobs2-depression"
    }
    return {**counts, "means": means}


def complete(indicators: dict[str, Any], people: Sequence[Human], seats: int | None = None) -> bool:
    """Tell whether every act has arrived. Only counts are compared, so that wrong means would still be shown. `seats`: as many as
    grouping gave; by default one to each treated person, which few people may not allow."""
    return progress(indicators, people, seats) == 1


def progress(indicators: dict[str, Any], people: Sequence[Human], seats: int | None = None) -> float:
    """The share of the expected figures that has arrived, 1 when all have."""
    treated = sum(human.treated for human in people)
    seated = treated if seats is None else seats
    expected = {"referred": len(people), "admitted": len(people), "seated": seated, "waiting": len(people) - seated}
    if seated == treated:
        expected["took_part"] = sum(human.complied for human in people)
    found = [(int(indicators[name]), number) for name, number in expected.items()]
    scored = {each["wave"]: each["scored"] for each in indicators["surveys"]}
    found += [(scored.get(wave, 0), len(people)) for wave in ("T0", "T2")]
    # One that is too high counts as missing: somebody who waits until their seat has arrived.
    return sum(arrived == number for arrived, number in found) / len(found)
