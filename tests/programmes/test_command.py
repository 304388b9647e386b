"""`ama programmes` checks a file, shows what it means for whom, and publishes it in a running system."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.engines import Engines
from services.settings import Misconfigured
from tests.helpers.waiting import eventually
from tests.programmes.living import living


async def ama(*words: str) -> str:
    """Return the output of the command. It runs in a thread, since it speaks to services of this process."""
    result = await asyncio.to_thread(CliRunner().invoke, app, ["programmes", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


async def test_a_change_is_planned_with_who_is_concerned_then_published(
    tmp_path: Path, keys: Path, engines: Engines
) -> None:
    prova = living(tmp_path, keys, engines)
    prova.put("before")
    changed = tmp_path / "changed.toml"
    changed.write_text(
        prova.text("merged-municipality", ("[sizes]", '[renamed]\nvalle-mosso = "valdilana"\n\n[sizes]'))
    )
    checked = " ".join((await ama("check", str(changed))).split())
    assert f"changed.toml is a programme: {prova.programme}, 1 partners, 4 slots" in checked
    assert "who5 has no wording: nobody is sent its questions. Put them into" in checked
    assert "/instruments/who5.it.toml." in checked.replace("/ ", "/").replace(" /", "/")
    async with prova.up() as people:
        for municipality in ("trivero", "valle-mosso", "valle-mosso"):
            await people.admit(await people.refer(municipality))
        await people.rooms("trivero")
        here = ["--data", str(tmp_path)]
        planned = await ama("plan", str(changed), *here)
        assert planned.splitlines() == [
            "municipalities valdilana added",
            "municipalities valle-mosso renamed to valdilana",
            "  grouping: 2 people",
            "municipalities trivero retired",
            "  grouping: 1 facilitators, 1 people, 1 places",
            "surveys T1/who5 added",
        ]
        rules = people.home.all_services.services["grouping"].rules
        assert rules[people.programme].municipality("valdilana") is None
        done = await ama("apply", str(changed), *here, "--yes")
        assert f"Version 2 of {prova.programme} is published." in done

        async def all_follow() -> bool:
            services = people.home.all_services.services.values()
            found = [each.rules[people.programme].municipality("valle-mosso") for each in services]
            return all(each is not None and each.id == "valdilana" for each in found)

        await eventually(all_follow, 60)
        assert await ama("apply", str(changed), *here) == "Nothing changes.\n"
        wrong = tmp_path / "wrong.toml"
        wrong.write_text(prova.text("before", ("at = 18:30:00", "at = 20:30:00")))
        with pytest.raises(Misconfigured, match=r"wrong\.toml, line \d+: slots\.1\.id: thu-evening was thursday"):
            await ama("plan", str(wrong), *here)
        status, refused = await people.answer(
            "administrator", "PUT", "/enrolment/programme", {"name": "wrong.toml", "text": wrong.read_text()}
        )
        assert (status, refused["code"]) == (422, "wrong-programme-file")
        for role in ("operator", "coordinator"):
            assert (await people.answer(role, "GET", "/grouping/programme/uses"))[0] == 403
            assert (await people.answer(role, "GET", "/enrolment/programme"))[0] == 403
