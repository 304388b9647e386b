"""A published programme reaches every service and every copy, without a restart."""

import random
import re
from typing import Any

import grouping.app
from enrolment.programmes.commands import ApplyFile, apply_file
from services.programmes import Programme, programme_of, read_text
from services.runtime.service import Service, running
from services.runtime.serving import AllServices
from services.settings import Settings
from tests.helpers.waiting import eventually
from tests.programmes.drafts import NOTICES, PARTNERS, TIMES, TOWNS, WAVES, Draft, finds, named_in


async def apply(enrolment: Service, settings: Settings, text: str, *, lived_in: bool = True) -> dict[str, Any]:
    """Publish this file, as the route does."""
    command = ApplyFile(file=read_text(text, "prova.toml"), lived_in=lived_in)
    made: dict[str, Any] = await enrolment.do(apply_file, command, str(settings.only))
    return made


def some(chance: random.Random, of: Any) -> frozenset[str]:
    return frozenset(chance.sample(sorted(of), chance.randint(1, len(of))))


def drafts(settings: Settings, number: int) -> list[str]:
    """The texts of so many edits of one programme."""
    chance = random.Random(number)
    edited = [
        Draft(
            some(chance, TIMES),
            some(chance, TOWNS),
            some(chance, PARTNERS),
            some(chance, WAVES),
            chance.choice(NOTICES),
        )
        for _ in range(number)
    ]
    own = str(settings.only)
    return [
        re.sub(r'id = "(one|two|three)"', rf'id = "\1-{own}"', each.text()).replace('"prova"', f'"{own}"')
        for each in edited
    ]


async def test_each_edit_reaches_every_service_and_copy_and_every_id_is_found(own: Settings) -> None:
    everything = AllServices(lambda _: own)
    enrolment, programme = everything.services["enrolment"], str(own.only)
    try:
        await everything.start()
        async with running(grouping.app.build(own), ["api"]) as copy:
            services = [*everything.services.values(), copy]
            ever = named_in(enrolment.rules[programme])
            for text in drafts(own, 6):
                await apply(enrolment, own, text, lived_in=False)
                newest = await _published(enrolment, programme)
                ever |= named_in(newest)

                async def all_follow(newest: Programme = newest) -> bool:
                    return all(each.rules[newest.id] == newest for each in services)

                await eventually(all_follow, 60)
                for service in services:
                    rules = service.rules[programme]
                    missing = [(part, id) for part, id in ever if finds(rules)[part](id) is None]
                    assert missing == [], service.name
    finally:
        await everything.stop()
    # A restart finds the stored version, and not the file of the folder, which enrolment alone applies.
    async with running(grouping.app.build(own), ["api"]) as again:
        assert named_in(again.rules[programme]) == ever


async def _published(enrolment: Service, programme: str) -> Programme:
    stored = await enrolment.store["programme"].find_one({"_id": f"{programme}/{programme}"})
    return programme_of(programme, stored["state"]["content"])
