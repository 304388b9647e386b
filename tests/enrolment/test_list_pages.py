"""The pages of a list: nothing is taken before it was shown what would happen, and the same list is taken once."""

from collections.abc import AsyncIterator

import pytest_asyncio

from enrolment.domain import Worker
from services.identity.auth import Role
from services.settings import Settings
from tests.enrolment.awkward import ADA, EVA, HEADS, text
from tests.enrolment.site import Site, fields_of, site, text_of

AT = "/segnalazioni/elenco"
LOCAL = [[*ADA[:4], "Monza", ADA[5]], [*EVA[:4], "Monza", EVA[5]]]
GOOD, WITH_MISTAKE = [HEADS, *LOCAL], [HEADS, *LOCAL, ["=Verdi", "Ugo", "", "", "Atlantis", "31/02/1990"]]


@pytest_asyncio.fixture
async def here(own: Settings) -> AsyncIterator[Site]:
    async with site(own) as found:
        yield found


async def count(here: Site) -> int:
    return int(await here.service.store[Worker.noun].count_documents({"programme": here.programme}))


def files(rows: list[list[str]]) -> dict[str, tuple[str, bytes]]:
    return {"file": ("elenco.csv", text(rows, encoding="cp1252"))}


async def test_a_list_is_shown_first_and_then_taken_once_however_often_it_is_sent(here: Site) -> None:
    async with here.referrer() as client:
        shown = await client.post(AT, files=files(WITH_MISTAKE))
        assert shown.status_code == 200, text_of(shown.text)
        said = text_of(shown.text)
        assert "Atlantis" in said
        assert "31/02/1990" in said
        assert await count(here) == 0
        carried = fields_of(shown.text)["list"]
        whole = await client.post(AT, data={"list": carried, "step": "all"})
        assert (whole.status_code, await count(here)) == (422, 0)
        mistakes = await client.post(AT, data={"list": carried, "step": "mistakes"})
        assert mistakes.content.startswith(b"\xef\xbb\xbf")
        assert ";'=Verdi" in mistakes.content.decode()
        later = fields_of((await client.post(AT, files=files(WITH_MISTAKE))).text)["list"]
        for page, taken in ((carried, "nuove=2"), (carried, "nuove=2"), (later, "uguali=2")):
            done = await client.post(AT, data={"list": page, "step": "good"})
            assert (done.status_code, taken in done.headers["location"], await count(here)) == (303, True, 2)
        again = await client.post(AT, files=files(GOOD))
        assert "Già segnalate e invariate: 2" in text_of(again.text)
        assert (await client.get(done.headers["location"])).status_code == 200


async def test_the_list_of_another_partner_is_not_taken_in_this_ones_name_and_a_wrong_file_says_why(here: Site) -> None:
    async with here.referrer() as client, here.referrer(here.stranger) as other:
        carried = fields_of((await client.post(AT, files=files(GOOD))).text)["list"]
        stolen = await other.post(AT, data={"list": carried, "step": "all"})
        assert (stolen.status_code, await count(here)) == (422, 0)
        wrong = await client.post(AT, files={"file": ("elenco.pdf", b"%PDF-1.7")})
        assert wrong.status_code == 422
        assert "non è un elenco" in text_of(wrong.text)
        assert (await client.post(AT, content=b"", headers={"content-length": str(200 * 2**20)})).status_code == 413


async def test_a_program_learns_row_and_column_and_takes_the_good_rows_when_it_asks_for_that(here: Site) -> None:
    async with here.client(Role.REFERRER, "referrer", here.partner) as client:
        client.headers["Accept"] = "application/json"
        judged = (await client.post("/lists", files=files(WITH_MISTAKE))).json()
        assert (judged["taken"], judged["counts"]["new"], await count(here)) == (False, 2, 0)
        assert {(each["row"], each["column"]) for each in judged["mistakes"]} >= {(4, "Comune"), (4, "Cognome")}
        refused = await client.post("/lists?apply=true", files=files(WITH_MISTAKE))
        assert (refused.status_code, refused.json()["code"], await count(here)) == (422, "mistakes", 0)
        taken = (await client.post("/lists?apply=true&only_good=true", files=files(WITH_MISTAKE))).json()
        assert (taken["taken"], taken["counts"]["new"], await count(here)) == (True, 2, 2)
        stranger = await client.post(f"/lists?partner={here.stranger}", files=files(GOOD))
        assert (stranger.status_code, stranger.json()["code"]) == (403, "not-your-partner")
