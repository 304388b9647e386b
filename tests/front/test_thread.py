"""The thin thread: sign-in by HTTP from end to end, on real MongoDB."""

from pathlib import Path

from services.engines import Engines
from tests.front.desk import desk


async def test_somebody_signs_in_goes_on_where_they_wanted_and_signs_out(engines: Engines, tmp_path: Path) -> None:
    async with desk(engines, tmp_path) as there:
        await there.account()
        anna = there.browser()
        answer = await anna.sign_in("anna", then="/persone?nome=rossi")
        assert (answer.status_code, answer.headers["location"]) == (303, "/persone?nome=rossi")
        page = (await anna.get("/")).text
        assert "Anna Bianchi" in page
        out = await anna.post("/esci")
        assert out.status_code == 200
        assert "Anna Bianchi" not in (await anna.get("/")).text
        await anna.close()
