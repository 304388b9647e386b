"""Filters of templates for days, times, numbers and lists, and the functions that translate.

Invariant: a time without the programme whose zone it is shown in is an error, and never a guess.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from services.web.frame import dates
from services.web.frame.texts import N_
from services.web.pages import moment as to_the_second
from services.web.pages import pretty


def translating(translations: Any) -> dict[str, Callable[..., str]]:
    """Return `_` and `ngettext` of templates. Jinja's own newstyle functions take every text for markup, and a text that is given to a
    macro may be somebody's name."""

    def gettext(text: str, **values: Any) -> str:
        translated: str = translations.gettext(text)
        return escape(translated) % values if values else translated

    def ngettext(one: str, several: str, n: int, **values: Any) -> str:
        return escape(translations.ngettext(one, several, n)) % {"num": n, **values}

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext}


def part(fragment: Any, missing: str) -> Markup:
    """Show the fragment of another service, or the sentence in its place. Its HTML was made by one of our services."""
    if fragment is not None and fragment.html is not None:
        return Markup(fragment.html)  # noqa: S704
    return Markup('<p class="missing" role="note">{}</p>').format(missing)


def filters(language: str, translations: Any) -> dict[str, Callable[..., Any]]:
    """Return the filters of one language, by their names in templates."""

    def zoned(write: Callable[..., str]) -> Callable[..., str]:
        @pass_context
        def written(context: Context, value: Any, *given: Any) -> str:
            return write(value, language, _zone(context), *given)

        return written

    @pass_context
    def moment(context: Context, value: datetime) -> Markup:
        zone = _zone(context)
        text = translations.gettext(N_("%(day)s, at %(time)s"))
        text %= {"day": dates.long_day(value, language, zone), "time": dates.time_of(value, language, zone)}
        return Markup('<time datetime="{}">{}</time>').format(
            value.astimezone(zone).isoformat(timespec="minutes"), text
        )

    @pass_context
    def days_ago(context: Context, since: date | int) -> str:
        n = since if isinstance(since, int) else _days_since(since, _zone(context))
        if n <= 0:
            return str(translations.gettext(N_("since today")))
        text: str = translations.ngettext("for %(num)d day", "for %(num)d days", n)
        return text % {"num": n}

    names = {
        "day": dates.day,
        "short_day": dates.short_day,
        "long_day": dates.long_day,
        "date": dates.full_date,
        "time": dates.time_of,
    }
    zoned_ones = {
        name: zoned(write) for name, write in {**names, "month": dates.month, "the_day": dates.the_day}.items()
    }
    plain: dict[str, Callable[..., str]] = {"number": dates.number, "percent": dates.percent, "listed": dates.listed}
    plain["the_weekday"] = dates.the_weekday
    return {
        **zoned_ones,
        **{name: (lambda value, write=write: write(value, language)) for name, write in plain.items()},
        "moment": moment,
        "utc": to_the_second,
        "pretty": pretty,
        "days_ago": days_ago,
    }


def _zone(context: Context) -> Any:
    # Absent where a macro was imported without its context: a wrong zone would be worse than an error.
    rules = context["rules"]
    return dates.DEFAULT_ZONE if rules is None else rules.zone


def _days_since(since: date, zone: Any) -> int:
    first = since.astimezone(zone).date() if isinstance(since, datetime) else since
    return (datetime.now(UTC).astimezone(zone).date() - first).days
