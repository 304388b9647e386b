"""A partner is one of one programme alone, whoever publishes a file, and however many do at once."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

import enrolment.app
import notifications.app
from enrolment.programmes.commands import ApplyFile, apply_file
from services.kernel import Refused
from services.programmes import Programme, published, read_text
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.programmes import PublishedProgramme
from tests.helpers.waiting import eventually

PARTNER = '[[partners]]\nid = "{id}"\nname = "Another"\nroles = ["referrer"]\n\n[[slots]]'


def two_programmes(own: Settings) -> tuple[Settings, dict[str, str]]:
    """Settings that serve two programmes, and the text of each by its id."""
    first, folder = str(own.only), own.programmes
    assert folder is not None
    text = (folder / f"{first}.toml").read_text()
    other = f"two{first}"
    second = (
        text.replace(f'"{first}"', f'"{other}"').replace('id = "p', 'id = "two-p').replace('id = "q', 'id = "two-q')
    )
    (folder / f"{other}.toml").write_text(second)
    return own.model_copy(update={"only": f"{first},{other}"}), {first: text, other: second}


def with_partner(text: str, id: str) -> str:
    return text.replace("[[slots]]", PARTNER.format(id=id), 1)


async def publish(service: Service, programme: str, text: str) -> Any:
    file = read_text(text, "prova.toml")
    return await service.do(apply_file, ApplyFile(file=file, lived_in=True), programme)


async def test_a_partner_of_another_published_programme_is_refused_retired_or_not(own: Settings) -> None:
    settings, texts = two_programmes(own)
    (one, text), (two, other) = texts.items()
    taken = f"taken-{one}"
    async with running(enrolment.app.build(settings), ["api"]) as service:
        for step in (with_partner(text, taken), text):  # it is added, and then it leaves the file
            assert (await publish(service, one, step))["changed"]
            with pytest.raises(Refused, match=rf"partners\.\d+\.id: {taken} is a partner of programme {one} already"):
                await publish(service, two, with_partner(other, taken))
    async with running(enrolment.app.build(settings), ["api"]) as again:
        assert again.rules[two].partner(taken) is None


async def test_of_two_programmes_that_take_one_partner_at_once_one_is_refused(own: Settings) -> None:
    settings, texts = two_programmes(own)
    async with running(enrolment.app.build(settings), ["api"]) as service:
        for number in range(5):
            wanted = f"n{number}-{own.only}"
            texts = {id: with_partner(text, wanted) for id, text in texts.items()}
            made = await asyncio.gather(
                *(publish(service, id, text) for id, text in texts.items()), return_exceptions=True
            )
            refused = [each for each in made if isinstance(each, Refused)]
            assert len(refused) == 1, made
            assert refused[0].code == "wrong-programme-file"
            lost = list(texts)[made.index(refused[0])]
            texts[lost] = texts[lost].replace(PARTNER.format(id=wanted), "[[slots]]", 1)


async def test_the_ledgers_of_two_programmes_are_never_delivered_on_one_topic(own: Settings) -> None:
    # As a database of before could hold it: both programmes have the partner and its agreement.
    settings, texts = two_programmes(own)
    (one, text), (two, _) = texts.items()
    shared = str(own.only).replace("own", "p")
    rules: Programme = read_text(text, "one.toml").programme.model_copy(update={"id": two})
    service = notifications.app.build(settings)
    stored = PublishedProgramme(two, 1, datetime.now(UTC), published(rules, 1).model_dump(mode="json"))
    await service.store.write(PublishedProgramme.collection, [stored.upsert()])
    async with running(service, ["consume"]):

        async def both() -> list[Any] | None:
            found = await service.store["deliveries"].find({"partner": shared}).to_list(10)
            return found if len(found) == 2 and all(each["stopped"] for each in found) else None

        found = await eventually(both, 60)
    assert {each["stopped"] for each in found} == {"it is a partner of several programmes"}
    assert {each["_id"].partition("/")[0] for each in found} == {one, two}
