"""Types of request fields: what people write is understood, what a mail or an engine could not show is refused with a sentence."""

import importlib
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from notifications.mail_format import Mailbox
from services import vault
from services.contracts.topics import SERVICES
from services.identity.auth import PEOPLE_IN_PATH
from services.web import BirthYear, Email, Language, Line, Note, Telephone
from tests.helpers.serving import settings_for

YEAR = datetime.now(UTC).year
LINE, NOTE = TypeAdapter[str](Line), TypeAdapter[str](Note)
EMAIL, TELEPHONE, BORN = TypeAdapter[str](Email), TypeAdapter[str](Telephone), TypeAdapter[int](BirthYear)


def why(adapter: TypeAdapter[Any], value: Any) -> str:
    """The sentence with which a value is refused."""
    with pytest.raises(ValidationError) as refused:
        adapter.validate_python(value)
    return str(refused.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Ada", "Ada"),
        ("  Maria   Grazia ", "Maria Grazia"),
        ("Niccolo\u0300", "Niccol\u00f2"),
        ("D'Angelo-Rossi", "D'Angelo-Rossi"),
        ("Rossi\u00a0Bianchi", "Rossi Bianchi"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\u738b\u5c0f\u660e", "\u738b\u5c0f\u660e"),
        ("A" * 77, "A" * 77),
        ("B" * 200, "B" * 200),
        ("?=", "?="),
    ],
)
def test_a_name_is_kept_as_it_is_meant(written: str, kept: str) -> None:
    assert LINE.validate_python(written) == kept


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "\u00a0",
        "=?utf-8?b?////?=,",
        "=?utf-8?q?A=0D=0AReply-To:x?=",
        "A =?x",
        "A\r\nB",
        "A\tB",
        "A\0",
        "A\x7f",
        "A\x85B",
        "A\u2028B",
        "\u202eadA",
        "\u2066Ada\u2069",
        "Ada\u200b",
        "\ufeffAda",
        "A\ud800",
        "A\uffff",
        "A\ue000",
        "A\U000e0041",
        "\u3164",
        "Ada\u3164",
        "\u115f",
        "\u1160",
        "\uffa0",
        "\u034f",
        "A\u034f",
        "\u17b4",
        "\u2065A",
        "\u2800",
        "\u200d",
        "\u200c \u2800",
        "\ufe0f",
        "\u0301",
        "A" * 201,
    ],
)
def test_a_name_that_a_mail_or_a_page_would_show_otherwise_is_refused(name: str) -> None:
    assert why(LINE, name)


@given(st.text(max_size=300))
@example("=?utf-8?q?x?=")
def test_whatever_is_taken_as_a_line_is_one_line_that_reads_back(text: str) -> None:
    try:
        line = LINE.validate_python(text)
    except ValidationError:
        return
    assert line == line.strip()
    assert len(line.splitlines()) == 1
    assert unicodedata.is_normalized("NFC", line)
    assert LINE.validate_python(line) == line
    assert line.encode().decode() == line
    assert "=?" not in line


def test_no_character_that_unicode_keeps_invisible_makes_a_name() -> None:
    ignorable = [
        *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x2010)),
        *(*range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0),
        *(*range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)),
    ]
    for adapter in (LINE, NOTE):
        for point in ignorable:
            assert why(adapter, chr(point) * 3), hex(point)


def test_a_sign_of_more_than_one_character_is_kept() -> None:
    for text in ("\u2764\ufe0f", "\U0001f469\u200d\U0001f527", "\u845b\U000e0100\u57ce"):
        assert LINE.validate_python(text) == NOTE.validate_python(text) == text


def test_a_note_has_line_breaks_and_no_other_control_character() -> None:
    assert NOTE.validate_python(" one\r\ntwo\n ") == "one\ntwo"
    for text in (" \n", "a\x1b[31m", "a\rb", "\u202ea", "a\0"):
        assert why(NOTE, text)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ada@example.org", "ada@example.org"),
        (" ada@example.org ", "ada@example.org"),
        ("ada+lavoro@Example.ORG", "ada+lavoro@example.org"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("info@citt\u00e0.example.org", "info@xn--citt-3na.example.org"),
    ],
)
def test_an_address_is_kept_in_the_form_to_which_every_server_delivers(written: str, kept: str) -> None:
    found = EMAIL.validate_python(written)
    assert found == kept
    assert Address(addr_spec=found).addr_spec == kept


@pytest.mark.parametrize(
    "address",
    [
        "niccol\u00f2.rossi@example.it",
        "ada",
        "ada@",
        "@example.org",
        "a@b",
        "a@b@example.org",
        "Ada <ada@example.org>",
        '"a b"@example.org',
        "ada@example.org\nBcc: b@example.org",
        "ada@[127.0.0.1]",
        "=?utf-8?q?a?=@",
        "=?utf-8?q?a?=@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * 250 + ".org",
        "ada@example.org, eva@example.org",
        "ada@exam\u202eple.org",
    ],
)
def test_an_address_to_which_no_mail_can_be_sent_is_refused(address: str) -> None:
    assert "no mail can be sent to this address" in why(EMAIL, address)


@given(st.one_of(st.emails(), st.from_regex(r"[!-~]{1,20}@[a-z]{1,9}\.(it|org)", fullmatch=True)))
@example("=?utf-8?q?a?=@example.org")
@example("a=?b@example.org")
def test_an_address_that_is_taken_is_one_that_the_mailer_takes(address: str) -> None:
    try:
        taken = EMAIL.validate_python(address)
    except ValidationError:
        return
    assert Mailbox.of_person("Ada", taken).address == taken


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+39 333 123 4567", "+393331234567"),
        ("3331234567", "+393331234567"),
        ("0039 039 123456", "+39039123456"),
        ("+39-333-1234567", "+393331234567"),
        ("+390391234567", "+390391234567"),
        ("(039) 123.456", "+39039123456"),
        ("02/1234567", "+39021234567"),
        ("0041 79 123 45 67", "+41791234567"),
        ("\uff0b\uff13\uff19 333 1234567", "+393331234567"),
    ],
)
def test_a_telephone_number_is_understood_as_people_write_it(written: str, kept: str) -> None:
    assert TELEPHONE.validate_python(written) == kept


@pytest.mark.parametrize(
    "number",
    [
        "pippo",
        "112",
        "12345",
        "+39",
        "+39 333 123 4567 int. 3",
        "333 1234567 333 1234567",
        "800 FIORI 1",
        "1;ext=2",
        "9" * 61,
    ],
)
def test_a_telephone_number_that_is_none_is_refused_with_a_sentence_that_a_person_can_follow(number: str) -> None:
    assert len(number) > 60 or "write one telephone number, as 333 123 4567" in why(TELEPHONE, number)
    assert why(TELEPHONE, number)


@pytest.mark.parametrize("year", [1900, 1971, YEAR - 14])
def test_a_birth_year_is_one_that_a_worker_can_have(year: int) -> None:
    assert BORN.validate_python(year) == year


@pytest.mark.parametrize("year", [1899, YEAR - 13, YEAR, 2100, -1, 2**70, True])
def test_a_birth_year_that_no_worker_can_have_is_refused(year: int) -> None:
    assert why(BORN, year)


# Text that no type checks, each for a reason.
FREE = {
    ("/questionario/{token}", "path.token"): "looked up by its digest, and a wrong one has a page that says so",
    ("/risposta/{token}", "path.token"): "the same",
    ("/programme", "body.text"): "a whole file, which the loader of programmes judges",
    ("/ops/dead", "query.consumer"): "looked up as it is",
    ("/ops/dead/{id}", "path.id"): "looked up as it is",
    ("/ops/dead/{id}/redrive", "path.id"): "looked up as it is",
    ("/ops/dead/{id}/dismiss", "path.id"): "looked up as it is",
}


def bare(schema: Any, schemas: dict[str, Any], where: str) -> Iterator[str]:
    """Places of a schema in which any text is taken."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield from bare(schemas[schema["$ref"].rpartition("/")[2]], schemas, where)
        return
    if schema.get("type") == "string" and not schema.keys() & {"pattern", "enum", "const", "format", "x-text"}:
        yield where
    inner = [*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")]
    for each in inner:
        yield from bare(each, schemas, where)
    for name, each in schema.get("properties", {}).items():
        yield from bare(each, schemas, f"{where}.{name}")


def free_text(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Routes of a service, each with a place in which it takes any text."""
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for operation in item.values():
            for each in operation.get("parameters", ()):
                yield from ((path, where) for where in bare(each["schema"], schemas, f"{each['in']}.{each['name']}"))
            for kind in operation.get("requestBody", {}).get("content", {}).values():
                yield from ((path, where) for where in bare(kind["schema"], schemas, "body"))


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_takes_text_by_a_type_that_checks_it(service: str, tmp_path: Path) -> None:
    vault.make_keys(tmp_path / "keys", SERVICES)
    settings = settings_for("http://127.0.0.1:1/issuer", keys=tmp_path / "keys", public_url="http://127.0.0.1:1")
    document = importlib.import_module(f"{service}.app").build(settings).app.openapi()
    assert set(free_text(document)) - FREE.keys() == set()


# Parameters of paths that name no person.
OF_NOBODY = {
    "asked", "complaint", "facilitator", "group", "id", "instrument", "moment", "momento", "number", "place", "programma", "service",
    "session", "step", "token", "wave",
}  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
def test_every_person_in_a_path_is_named_by_the_answers_that_are_kept(service: str, tmp_path: Path) -> None:
    vault.make_keys(tmp_path / "keys", SERVICES)
    settings = settings_for("http://127.0.0.1:1/issuer", keys=tmp_path / "keys", public_url="http://127.0.0.1:1")
    document = importlib.import_module(f"{service}.app").build(settings).app.openapi()
    named = {name for path in document["paths"] for name in re.findall(r"{(\w+)}", path)}
    assert named - set(PEOPLE_IN_PATH) - OF_NOBODY == set()


def test_a_route_that_takes_any_text_is_found() -> None:
    loose = {"type": "object", "properties": {"a": {"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}}
    item = {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/x/Loose"}}}}}}
    document = {"paths": {"/x": item}, "components": {"schemas": {"Loose": loose}}}
    assert list(free_text(document)) == [("/x", "body.a")]


@pytest.mark.parametrize("code", ["it", "en", "ar", "uk", "zh"])
def test_a_language_is_one_of_iso_639_1(code: str) -> None:
    assert TypeAdapter[str](Language).validate_python(code) == code


@pytest.mark.parametrize("code", ["zz", "xx", "IT", "ita", "i", "it-IT", ""])
def test_a_code_that_names_no_language_is_refused(code: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](Language).validate_python(code)
