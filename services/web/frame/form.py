"""Forms of pages: what was typed, checked by a pydantic model, with every mistake in words.

Invariants: whatever was typed is shown again; a mistake has the same words above the form and at its field; a field with several values
has one name for each of them, so that no name stands twice in a form.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from services.kernel import Refused
from services.web.forms import LARGEST, form_of, typed
from services.web.frame.texts import N_, Said

M = TypeVar("M", bound=BaseModel)
Options = Mapping[str, str] | Iterable[tuple[str, str]]
_KEY = re.compile(r"[A-Za-z0-9_-]{22}")
_DAY = re.compile(r"([0-9]{1,2})[ ./-]([0-9]{1,2})[ ./-]([0-9]{4})")
_TIME = re.compile(r"([0-9]{1,2})(?:[.:,]([0-9]{2}))?")
STEPS = ("check", "change", "done")


class Kind(StrEnum):
    """The way in which a field is filled in."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    EMAIL = "email"
    TELEPHONE = "tel"
    DAY = "day"
    TIME = "time"
    RADIOS = "radios"
    SELECT = "select"
    CHECKBOXES = "checkboxes"
    CHECKBOX = "checkbox"  # one statement: its value is "yes" or empty
    PASSWORD = "password"  # noqa: S105  # a kind of field
    HIDDEN = "hidden"


CHOICES = (Kind.RADIOS, Kind.SELECT, Kind.CHECKBOXES)
# What is missing or wrong, by the kind of the field; `label` is the field's.
MISSING = {kind: N_("Choose an answer: %(label)s") for kind in (*CHOICES, Kind.CHECKBOX)}
_MISSING = N_("Fill in: %(label)s")
WRONG = {
    Kind.NUMBER: N_("Write a number: %(label)s"),
    Kind.EMAIL: N_("Write an e-mail address such as name@example.org: %(label)s"),
    Kind.TELEPHONE: N_("Write a telephone number such as 039 123456 or 333 1234567: %(label)s"),
    Kind.DAY: N_("Write a date such as 27/3/2026: %(label)s"),
    Kind.TIME: N_("Write a time such as 18:30: %(label)s"),
    **{kind: N_("Choose one of the answers that are offered: %(label)s") for kind in (*CHOICES, Kind.CHECKBOX)},
}
_WRONG = N_("This cannot be accepted as it is written: %(label)s")
# By the type of pydantic's error; the values are those of its context.
BY_TYPE = {
    "string_too_long": N_("Write at most %(max_length)s characters: %(label)s"),
    "string_too_short": N_("Write at least %(min_length)s characters: %(label)s"),
    "greater_than_equal": N_("Write a number of at least %(ge)s: %(label)s"),
    "greater_than": N_("Write a number above %(gt)s: %(label)s"),
    "less_than_equal": N_("Write a number of at most %(le)s: %(label)s"),
    "less_than": N_("Write a number below %(lt)s: %(label)s"),
    "too_short": N_("Choose at least %(min_length)s: %(label)s"),
    "too_long": N_("Choose at most %(max_length)s: %(label)s"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `label`, `hint`, `why` (the reason for which it is asked) and `wrong` (its own sentence for a mistake) are texts to
    translate. `options`: value and text; they may also be given at request time. `needed`: only for the words "not compulsory"."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    hint: str | None = None
    why: str | None = None
    autocomplete: str | None = None
    options: Options = ()
    needed: bool = True
    wrong: str | None = None
    longest: int | None = None


class Form:
    """A form: its fields, in their order."""

    def __init__(self, *fields: Field, largest: int = LARGEST) -> None:
        """`largest`: bytes of all that is typed."""
        self.fields = {each.name: each for each in fields}
        self._largest = largest

    def empty(self, **values: Any) -> "Filled":
        """Return the form before anybody typed, with these values in it."""
        return Filled(
            self,
            {name: values.get(name) or ([] if f.kind is Kind.CHECKBOXES else "") for name, f in self.fields.items()},
        )

    async def filled(self, request: Request) -> "Filled":
        """Read what was typed. HTTPException as `form_of`."""
        form = await form_of(request, self._largest)
        values: dict[str, Any] = {}
        for name, each in self.fields.items():
            if each.kind is Kind.CHECKBOXES:
                values[name] = [key.removeprefix(f"{name}.") for key in form if key.startswith(f"{name}.")]
            else:
                text = typed(form, name)
                values[name] = text if each.kind is Kind.PASSWORD else text.replace("\r\n", "\n").strip()
        step = typed(form, "step")
        key = typed(form, "once")
        return Filled(self, values, step if step in STEPS else STEPS[0], key if _KEY.fullmatch(key) else None)


@dataclass
class Filled:
    """A form with what was typed. `errors`: by field; "" is for the form as a whole. Texts in it are translated where they are shown."""

    form: Form
    values: dict[str, Any]
    step: str = STEPS[0]
    key: str | None = None
    errors: dict[str, str | Said] = field(default_factory=dict)
    options: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.once = self.key or secrets.token_urlsafe(16)
        for name, each in self.form.fields.items():
            if each.options:
                self.offer(name, each.options)

    def offer(self, name: str, options: Options) -> None:
        """Give the answers to choose from, at request time."""
        self.options[name] = dict(options)

    @property
    def typed(self) -> dict[str, Any]:
        """The answers without the empty fields, days and times as ISO writes them."""
        given = {name: _iso(self.form.fields[name].kind, value) for name, value in self.values.items()}
        return {name: value for name, value in given.items() if value not in ("", [])}

    def checked(self, model: type[M], **more: Any) -> M | None:
        """Check by a model, which takes the fields that it has a name for, and `more`. None when something is wrong: see `errors`."""
        body: M | None = None
        self._check_choices()
        known = {name for name in self.typed if name in model.model_fields}
        try:
            body = model.model_validate({**{name: self.typed[name] for name in known}, **more})
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False):
                name = str(each["loc"][0]) if each["loc"] else ""
                self.errors.setdefault(name if name in self.form.fields else "", self._sentence(name, each))
        return None if self.errors else body

    def refuse(self, refused: Refused, field: str = "") -> None:
        """Show a refusal of a command, at a field or above the form."""
        self.errors[field] = Said(N_("This is not possible now."), values=refused.members, code=refused.code)

    def wrong(self, name: str, text: str, **values: Any) -> None:
        """Add a mistake in the room's own words, an English text to translate."""
        self.errors[name] = Said(text, self.form.fields[name].label if name else None, values)

    def _check_choices(self) -> None:
        for name, options in self.options.items():
            chosen = self.values[name] if isinstance(self.values[name], list) else [self.values[name]]
            if any(each and each not in options for each in chosen):
                self.errors[name] = Said(WRONG[Kind.RADIOS], self.form.fields[name].label)

    def _sentence(self, name: str, error: Mapping[str, Any]) -> str | Said:
        known = self.form.fields.get(name)
        if known is None:
            return N_("Part of the form cannot be accepted. Check what was written.")
        if error["type"] == "missing" or name not in self.typed:
            return Said(MISSING.get(known.kind, _MISSING), known.label)
        text = known.wrong or BY_TYPE.get(error["type"]) or WRONG.get(known.kind, _WRONG)
        return Said(text, known.label, error.get("ctx", {}))


def _iso(kind: Kind, value: Any) -> Any:
    """Return a day or time as ISO writes it; anything else, and what is neither, as it was typed."""
    if kind is Kind.DAY and (found := _DAY.fullmatch(value)):
        return f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}"
    if kind is Kind.TIME and (found := _TIME.fullmatch(value)):
        return f"{int(found[1]):02}:{found[2] or '00'}"
    return value.replace(",", ".") if kind is Kind.NUMBER else value
