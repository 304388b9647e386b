"""Claims of another provider become grants as the file says, and nothing that is not understood grants anything."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.front.claims import grants_of, rules_of
from services.front.grants import Grant
from services.identity.settings import CLIENT, RETURN
from services.settings import Misconfigured

FILE = """
[[grant]]
claim = "realm_access.roles"
value = "afol"
role = "operator"
programme = "monza-brianza"

[[grant]]
claim = "groups"
value = "/{programme}/segnalanti/{partner}"
role = "referrer"

[[grant]]
claim = "groups"
value = "/{programme}/facilitano"
role = "facilitator"
facilitator = { claim = "ama_facilitator" }

[[grant]]
claim = "https://example.org/admin"
value = "yes"
role = "system-operator"
programme = "monza-brianza"
"""


def told(claims: dict[str, Any], file: Path | None = None) -> list[str]:
    return [str(each) for each in grants_of(claims, rules_of(file))]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "claims.toml"
    path.write_text(FILE)
    return path


def test_without_a_file_the_claim_ama_lists_grants_as_texts_or_objects() -> None:
    claims = {
        "ama": [
            "operator:monza-brianza",
            {"role": "referrer", "programme": "monza-brianza", "partner": "cgil"},
            {"role": "facilitator", "programme": "monza-brianza", "facilitator": "F-1", "partner": ""},
            "operator:monza-brianza",
        ]
    }
    assert told(claims) == ["operator:monza-brianza", "referrer:monza-brianza:cgil", "facilitator:monza-brianza:F-1"]
    assert told({"ama": "coordinator:monza-brianza"}) == ["coordinator:monza-brianza"]


@pytest.mark.parametrize(
    "claims",
    [
        {}, {"ama": None}, {"ama": 7}, {"ama": [[], 7, None]}, {"ama": {}}, {"ama": ["emperor:monza-brianza"]}, {"ama": ["operator"]},
        {"ama": ["worker:monza-brianza:W-1"]}, {"ama": [{"role": "worker", "programme": "monza-brianza", "worker": "W-1"}]},
        {"ama": ["partner-system:monza-brianza:cgil"]}, {"ama": ["referrer:monza-brianza"]}, {"ama": ["operator:monza-brianza:cgil"]},
        {"ama": [{"role": "operator", "programme": "monza-brianza", "more": 1}]}, {"ama": ["facilitator:monza-brianza: x y "]},
        {"role": "operator", "programme": "monza-brianza"}, {"ama": ["operator:../x"]},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_understood_grants_nothing(claims: dict[str, Any]) -> None:
    assert told(claims) == []


def test_a_file_says_which_claim_and_value_mean_what(file: Path) -> None:
    claims = {
        "realm_access": {"roles": ["other", "afol"]},
        "groups": [
            "/monza-brianza/segnalanti/cgil",
            "/monza-brianza/segnalanti/cisl",
            "/monza-brianza/facilitano",
            "/x",
        ],
        "ama_facilitator": "F-7",
        "https://example.org/admin": "yes",
        "ama": ["administrator:monza-brianza"],
    }
    assert told(claims, file) == [
        "operator:monza-brianza",
        "referrer:monza-brianza:cgil",
        "referrer:monza-brianza:cisl",
        "facilitator:monza-brianza:F-7",
        "system-operator:monza-brianza",
    ]


@pytest.mark.parametrize(
    "claims",
    [
        {"realm_access": "afol"}, {"realm_access": {"roles": "afol2"}}, {"groups": ["/monza-brianza/segnalanti/"]},
        {"groups": ["/monza-brianza/segnalanti/a/b"]}, {"groups": ["/monza-brianza/facilitano"]},
        {"groups": ["x/monza-brianza/segnalanti/cgil"]}, {"groups": ["/monza-brianza/segnalanti/CG IL"]}, {"realm_access": {"roles": {}}},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_that_only_looks_alike_grants_nothing(file: Path, claims: dict[str, Any]) -> None:
    assert told(claims, file) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[[grant]", "AMA_CLAIMS"),
        ("x = 1", "field required"),
        ('[[grant]]\nclaim = "a"\nvalue = "b"\nrole = "worker"', "nobody is granted worker"),
        ('[[grant]]\nclaim = "a"\nvalue = "b"\nrole = "operator"\nextra = 1', "grant.0.extra"),
    ],
)
def test_a_file_that_is_wrong_stops_the_start_with_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "claims.toml").write_text(content)
    with pytest.raises(Misconfigured, match=sentence):
        rules_of(tmp_path / "claims.toml")


@pytest.mark.parametrize("text", ["operator", "operator:", ":monza-brianza", "referrer:monza-brianza", "operator:monza-brianza:x",
                                  "facilitator:monza-brianza", "worker:monza-brianza:W-1", "partner-system:monza-brianza:x"])  # fmt: skip
def test_a_grant_that_somebody_mistypes_is_one_sentence(text: str) -> None:
    with pytest.raises(Misconfigured, match="grant"):
        Grant.read(text)


def test_the_worked_realm_of_keycloak_and_its_rules_belong_together() -> None:
    root = Path(__file__).parents[2]
    realm = json.loads((root / "examples" / "keycloak" / "realm.json").read_text())
    [client] = realm["clients"]
    assert client["clientId"] == CLIENT
    assert client["redirectUris"] == [f"https://ama.example.it{RETURN}"]
    mapped = {
        each["config"]["claim.name"] for each in client["protocolMappers"] if each["config"]["id.token.claim"] == "true"
    }
    assert mapped == {"groups", "ama_facilitator"}

    def paths(groups: list[dict[str, Any]], above: str = "") -> list[str]:
        found = [(f"{above}/{each['name']}", each.get("subGroups", [])) for each in groups]
        return [deeper for path, inside in found for deeper in (paths(inside, path) if inside else [path])]

    claims = {"groups": paths(realm["groups"]), "ama_facilitator": "F-1"}
    assert sorted(told(claims, root / "ops" / "site" / "keycloak.toml")) == [
        "coordinator:monza-brianza",
        "facilitator:monza-brianza:F-1",
        "operator:monza-brianza",
        "referrer:monza-brianza:cgil",
        "referrer:monza-brianza:cisl",
        "referrer:monza-brianza:uil",
        "system-operator:monza-brianza",
    ]
