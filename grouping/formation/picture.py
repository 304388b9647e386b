"""A picture of an answer: the members of each group by attribute, and, if towns have coordinates, the map of their ways.

It is a Vega-Lite document, which `vl-convert-python` (the extra `plot`) draws without a browser. Invariant: the document holds levels,
groups, towns and places with numbers of people, and no person's id.
"""

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from grouping.formation.model import Answer, Attribute, Problem

FORMATS = (".svg", ".png")
WIDE, TALL = 640, 520  # pixels of the map, at most
DEGREE = 111.2  # km per degree of latitude


def draw(problem: Problem, answer: Answer, to: Path) -> None:
    """Write the picture as SVG or PNG, by the suffix of the file. ImportError without the extra, ValueError for another suffix."""
    if to.suffix not in FORMATS:
        raise ValueError(f"{to.name} ends neither in {' nor in '.join(FORMATS)}")
    import vl_convert

    told = document(problem, answer)
    if to.suffix == ".svg":
        to.write_text(vl_convert.vegalite_to_svg(told))
    else:
        to.write_bytes(vl_convert.vegalite_to_png(told, scale=2))


def document(problem: Problem, answer: Answer) -> dict[str, Any]:
    """The Vega-Lite document of an answer."""
    people = {each.id: each for each in problem.people}
    panels = []
    for number, (name, attribute) in enumerate(problem.attributes.items()):
        rows = [
            {"group": group.id, "level": level, "at": at, "people": found}
            for group in answer.groups
            for at, (level, found) in enumerate(
                _found(attribute, (people[id].attributes.get(name) for id in group.members))
            )
        ]
        panels.append(_panel(name, attribute, rows, [group.id for group in answer.groups], first=number == 0))
    parts: list[dict[str, Any]] = (
        [{"hconcat": panels, "spacing": 12, "resolve": {"scale": {"color": "independent"}}}] if panels else []
    )
    if set(problem.municipalities) <= problem.coordinates.keys():
        parts.append(_map(problem, answer))
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": f"{len(answer.groups)} groups, {sum(len(each.members) for each in answer.groups)} placed, {len(answer.unplaced)} wait",
        "vconcat": parts,
        "spacing": 30,
        "config": {"view": {"stroke": None}, "font": "sans-serif"},
    }


def _found(attribute: Attribute, levels: Iterable[str | None]) -> list[tuple[str, int]]:
    here = Counter(level or "not known" for level in levels)
    return [(level, here[level]) for level in (*attribute.levels, "not known")]


def _panel(
    name: str, attribute: Attribute, rows: list[dict[str, Any]], groups: list[str], *, first: bool
) -> dict[str, Any]:
    """Bars of one attribute: one bar per group, as long as it has members."""
    levels = [
        *attribute.levels,
        *(["not known"] if any(each["level"] == "not known" and each["people"] for each in rows) else []),
    ]
    axis = {"title": None, "ticks": False, "domain": False} if first else None
    scheme = "viridis" if attribute.kind == "ordinal" else "tableau10"
    return {
        "title": name,
        "width": 130,
        "height": {"step": 16},
        "data": {"values": [each for each in rows if each["people"]]},
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "y": {"field": "group", "type": "nominal", "sort": groups, "axis": axis},
            "x": {
                "field": "people",
                "type": "quantitative",
                "stack": "zero",
                "axis": {"title": None, "tickMinStep": 5},
            },
            "color": {
                "field": "level",
                "type": "ordinal" if attribute.kind == "ordinal" else "nominal",
                "sort": levels,
                "scale": {"domain": levels, "scheme": scheme},
                "legend": {"orient": "bottom", "title": None, "columns": 2, "symbolType": "square"},
            },
            "order": {"field": "at", "type": "quantitative"},
        },
    }


def _map(problem: Problem, answer: Answer) -> dict[str, Any]:
    """Towns sized by the people who live there, places with numbers of groups, and a line for each way that members go."""
    at = _flat(problem.coordinates)
    town = {place.id: place.municipality for place in problem.places}
    home = {each.id: each.municipality for each in problem.people}
    ways = Counter((home[id], town[group.place]) for group in answer.groups for id in group.members)
    lived = Counter(home.values())
    held = Counter(group.place for group in answer.groups)
    lines = [
        {"x": at[one][0], "y": at[one][1], "x2": at[other][0], "y2": at[other][1], "people": number}
        for (one, other), number in ways.items()
    ]
    homes = [{"x": at[name][0], "y": at[name][1], "town": name, "people": number} for name, number in lived.items()]
    places = [
        {"x": at[town[name]][0], "y": at[town[name]][1], "place": f"{name}: {held[name]}"} for name in sorted(town)
    ]
    xs, ys = zip(*at.values(), strict=True)
    across, along = max(max(xs) - min(xs), 1.0), max(max(ys) - min(ys), 1.0)
    scale = min(WIDE / across, TALL / along)
    x, y = _axis("x", "km east", min(xs), across), _axis("y", "km north", min(ys), along)
    size = {
        "field": "people",
        "type": "quantitative",
        "scale": {"range": [20, 500]},
        "legend": {"title": "living there"},
    }
    width = {"field": "people", "type": "quantitative", "scale": {"range": [0.5, 6]}, "legend": {"title": "going"}}
    return {
        "title": "where they live, where they meet (place: groups)",
        "width": round(across * scale),
        "height": round(along * scale),
        "layer": [
            {
                "data": {"values": lines},
                "mark": {"type": "rule", "opacity": 0.4, "color": "#777"},
                "encoding": {"x": x, "y": y, "x2": {"field": "x2"}, "y2": {"field": "y2"}, "strokeWidth": width},
            },
            {
                "data": {"values": homes},
                "mark": {"type": "circle", "color": "#4c78a8", "opacity": 0.7},
                "encoding": {"x": x, "y": y, "size": size},
            },
            {
                "data": {"values": places},
                "mark": {"type": "point", "shape": "triangle-up", "filled": True, "size": 90, "color": "#d62728"},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": places},
                "mark": {"type": "text", "dy": -12, "fontWeight": "bold"},
                "encoding": {"x": x, "y": y, "text": {"field": "place"}},
            },
        ],
    }


def _flat(coordinates: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Kilometres east and north of the middle, on a plane: near enough within a province or a region."""
    north = sum(latitude for latitude, _ in coordinates.values()) / len(coordinates)
    east = sum(longitude for _, longitude in coordinates.values()) / len(coordinates)
    narrower = math.cos(math.radians(north))
    return {
        name: ((longitude - east) * DEGREE * narrower, (latitude - north) * DEGREE)
        for name, (latitude, longitude) in coordinates.items()
    }


def _axis(field: str, title: str, least: float, extent: float) -> dict[str, Any]:
    domain = [least - 0.05 * extent, least + 1.05 * extent]
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": domain},
        "axis": {"title": title, "grid": False},
    }
