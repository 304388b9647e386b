"""A published programme reaches every service and every copy, without a restart."""

import random
import re
from typing import Any, get_args

import pytest
from pydantic import BaseModel

import grouping.app
from enrolment.programmes.commands import ApplyFile, apply_file
from services.contracts.programmes import ProgrammePublished
from services.programmes import Programme, load_all, programme_of, published, read_text
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


@pytest.mark.parametrize("shipped", load_all().values(), ids=lambda each: each.id)
def test_nothing_of_a_programme_is_lost_when_it_is_published(shipped: Programme) -> None:
    again = programme_of(shipped.id, published(shipped, 1).model_dump(mode="json"))
    assert again == shipped


def lost(model: type[BaseModel], event: type[BaseModel], path: str = "") -> list[str]:
    """Fields of a part of a programme that the event has no place for."""
    found = [f"{path}{name}" for name in model.model_fields if name not in event.model_fields]
    for name, field in model.model_fields.items():
        parts = (
            [*_parts(field.annotation)],
            [*_parts(event.model_fields[name].annotation)] if name in event.model_fields else [],
        )
        for one, other in zip(*parts, strict=False):
            found += lost(one, other, f"{path}{name}.")
    return found


def _parts(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [each for inner in get_args(annotation) for each in _parts(inner)]


def test_the_event_has_a_place_for_every_field_of_a_programme() -> None:
    # The id is the subject, and `renamed` becomes a field of the entry that left.
    assert lost(Programme, ProgrammePublished) == ["id", "renamed"]
