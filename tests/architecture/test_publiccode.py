"""`publiccode.yml` says what the standard asks of it (version 0.4), and nothing that the project itself does not say."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

ROOT = Path(__file__).parents[2]
TOLD: dict[str, Any] = yaml.safe_load((ROOT / "publiccode.yml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEXT = {"type": "string", "minLength": 1}
URL = {"type": "string", "pattern": "^https?://"}
LANGUAGE = "^[a-z]{2,3}(-[A-Za-z0-9]+)*$"
# Part of the standard's vocabularies: what is not listed here has to be looked up there, and added.
CATEGORIES = {"appointment-scheduling", "data-analytics", "survey", "workflow-management"}
SCOPES = {"employment", "welfare"}


def listed(items: dict[str, Any], least: int = 1) -> dict[str, Any]:
    return {"type": "array", "minItems": least, "uniqueItems": True, "items": items}


def thing(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


DEPENDENCY = thing(["name"], name=TEXT, versionMin=TEXT, versionMax=TEXT, version=TEXT, optional={"type": "boolean"})
DESCRIPTION = thing(
    ["shortDescription", "longDescription", "features"],
    localisedName=TEXT,
    shortDescription={"type": "string", "minLength": 1, "maxLength": 150, "pattern": r"^[^\n]*$"},
    longDescription={"type": "string", "minLength": 150, "maxLength": 10_000},
    features=listed(TEXT),
    documentation=URL,
    apiDocumentation=URL,
)
STANDARD = thing(
    [
        "publiccodeYmlVersion", "name", "url", "platforms", "categories", "developmentStatus", "softwareType", "description", "legal",
        "maintenance", "localisation",
    ],
    publiccodeYmlVersion={"const": "0.4"},
    name=TEXT,
    url=URL,
    landingURL=URL,
    softwareVersion=TEXT,
    releaseDate={"type": "string", "format": "date"},
    platforms=listed(TEXT),
    categories=listed({"enum": sorted(CATEGORIES)}),
    developmentStatus={"enum": ["concept", "development", "beta", "stable", "obsolete"]},
    softwareType={"enum": ["standalone/web", "standalone/backend", "standalone/other"]},
    intendedAudience=thing([], countries=listed({"pattern": "^[a-z]{2}$"}), scope=listed({"enum": sorted(SCOPES)})),
    description={"type": "object", "minProperties": 1, "patternProperties": {LANGUAGE: DESCRIPTION}, "additionalProperties": False},
    legal=thing(["license"], license=TEXT, mainCopyrightOwner=TEXT, repoOwner=TEXT),
    maintenance=thing(
        ["type", "contacts"],
        type={"enum": ["internal", "community"]},
        contacts=listed(thing(["name"], name=TEXT, email={"type": "string", "format": "email"}, phone=TEXT, affiliation=TEXT)),
    ),
    localisation=thing(
        ["localisationReady", "availableLanguages"],
        localisationReady={"type": "boolean"},
        availableLanguages=listed({"pattern": LANGUAGE}),
    ),
    dependsOn=thing([], open=listed(DEPENDENCY), proprietary=listed(DEPENDENCY), hardware=listed(DEPENDENCY)),
)  # fmt: skip


def wrong(told: dict[str, Any]) -> list[str]:
    """Places at which a document breaks the standard."""
    validator = jsonschema_rs.Draft202012Validator(STANDARD, validate_formats=True)
    return ["/".join(map(str, each.instance_path)) for each in validator.iter_errors(told)]


def test_it_is_as_the_standard_has_it() -> None:
    assert wrong(TOLD) == []


def test_it_says_what_the_project_says() -> None:
    assert TOLD["softwareVersion"] == PROJECT["version"]
    assert TOLD["legal"]["license"] == PROJECT["license"]
    assert set(TOLD["localisation"]["availableLanguages"]) == set(TOLD["description"]) == {"it", "en"}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"publiccodeYmlVersion": 0.4}, "publiccodeYmlVersion"),
        ({"developmentStatus": "ready"}, "developmentStatus"),
        ({"categories": ["groups"]}, "categories/0"),
        ({"releaseDate": date(2026, 1, 1).strftime("%d/%m/%Y")}, "releaseDate"),
        ({"description": {"it": {**TOLD["description"]["it"], "shortDescription": "x" * 151}}}, "description/it/shortDescription"),
        ({"maintenance": {"type": "community"}}, "maintenance"),
    ],
)  # fmt: skip
def test_what_is_not_so_is_seen(change: dict[str, Any], where: str) -> None:
    assert wrong(TOLD | change) == [where]
