"""The whole way of one person through the site, each step by the page that the one who does it has, with the mails that are really sent.

A desk of a union refers; an operator admits, completes the profile and forms the group; whoever facilitates calls the roll by names; the
person answers the survey from their mail, withdraws and erases themself, without JavaScript.

The module has over 300 lines, since the way is one, from the first page to the last.
"""

import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import Message
from typing import Any

import pytest
from playwright.async_api import Browser

from services.embedded.home import Home
from tests.helpers.days import today
from tests.helpers.people import ANSWERS, People, a_monday, written
from tests.helpers.waiting import eventually
from tests.journeys.accounts import Account, account, sign_in
from tests.journeys.walking import DESK, TELEPHONE, Walker, walking

CODE = re.compile(r"/(?:segnalazioni|persone)/([A-Za-z0-9-]+)")
LINK = re.compile(r"https?://\S+")


@dataclass
class Journey:
    """The people of one journey. `family_name` stands nowhere else; `slot`: the weekly time at which they alone can come."""

    home: Home
    browser: Browser
    width: int
    keyboard: bool
    slot: str
    family_name: str = field(default_factory=lambda: f"Quagliotto{secrets.token_hex(3)}")
    worker: str = ""
    leader: str = ""

    @property
    def email(self) -> str:
        return f"{self.family_name.lower()}@example.org"

    @property
    def place(self) -> str:
        return f"journey-{self.family_name.lower()}"

    def walks(self, as_whom: str, *, script: bool = True) -> Any:
        name = f"thread-{'keyboard' if self.keyboard else 'mouse'}-{as_whom}"
        keyboard = self.keyboard and script
        return walking(self.browser, self.home.base, name, width=self.width, keyboard=keyboard, script=script)

    async def mail(self, holds: str, but: str | None = None) -> str:
        """Wait for a mail to the person with a link that holds this, and return the link. `but`: the one of an earlier mail."""

        async def arrived() -> list[str]:
            found = [each for mail in written(self.home, self.email) for each in LINK.findall(text_of(mail))]
            return [link for each in found if holds in each and (link := each.rstrip(".,)")) != but]

        return str((await eventually(arrived, 60))[0])


def text_of(mail: Message) -> str:
    parts = [part for part in mail.walk() if part.get_content_type() == "text/plain"]
    return "".join(part.get_payload(decode=True).decode() for part in parts)  # type: ignore[union-attr]  # bytes


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("width", "keyboard", "slot"),
    [
        pytest.param(TELEPHONE, False, "wed-morning", id="telephone"),
        pytest.param(DESK, True, "thu-morning", id="desk-by-keyboard", marks=pytest.mark.long),
        pytest.param(DESK, False, "fri-morning", id="desk", marks=pytest.mark.long),
    ],
)
async def test_from_the_desk_of_a_union_to_the_end_that_the_person_chooses(
    home: Home, browser: Browser, width: int, keyboard: bool, slot: str
) -> None:
    journey = Journey(home, browser, width, keyboard, slot)
    others = await people_who_wait(journey)
    await a_union_desk_refers(journey)
    operator = await account(home, "Olga Prova", "operator")
    async with journey.walks("operator") as walker:
        await sign_in(walker, operator)
        await an_operator_admits(journey, walker)
        await an_operator_forms_the_group(journey, walker)
    await whoever_facilitates_calls_the_roll(journey, len(others) + 1)
    await the_person_answers_the_survey(journey)
    await the_person_leaves_and_erases_themself(journey, operator)


async def people_who_wait(journey: Journey) -> list[str]:
    """Admit nine others through the API, with a place and somebody to facilitate, and wait until grouping knows them."""
    people = People(journey.home, slot=journey.slot)
    others = [await people.admit(family_name=f"Altra{number}") for number in range(9)]
    operator = people.caller("operator")
    place = {"title": f"Sala {journey.family_name}", "address": "Via Prova 1", "municipality": "monza"}
    leader = {"municipality": "monza", "slots": [journey.slot]}
    assert (await operator("PUT", f"/grouping/places/{journey.place}", place)).status_code == 204
    assert (await operator("PUT", f"/grouping/facilitators/{journey.place}-leader", leader)).status_code == 204
    return others


async def a_union_desk_refers(journey: Journey) -> None:
    desk = await account(journey.home, "Ugo Sportello", "referrer:cgil")
    async with journey.walks("referrer") as walker:
        await sign_in(walker, desk)
        assert walker.page.url.endswith("/segnalazioni")
        await walker.looks("my referrals")
        await walker.follows(walker.page.locator("a[href='/segnalazioni/nuova']").first)
        await walker.looks("new referral")
        await walker.sends()
        await walker.looks("new referral with mistakes", status="mistakes")
        focus = "document.activeElement.getAttribute('role')"
        assert await walker.page.evaluate(focus) == "alert", "the list of mistakes has the focus"
        await walker.types(given_name="Zelmira", family_name=journey.family_name, email=journey.email)
        await walker.selects("municipality", "monza")
        await walker.chooses("language", "it")
        for purpose in ("participation", "contact", "research", "partner-feedback"):
            await walker.chooses(f"consents.{purpose}")
        await walker.sends()
        await walker.looks("consents without how they were given", status="mistakes")
        assert await walker.page.input_value("[name=family_name]") == journey.family_name, "what was typed stays"
        await walker.chooses("how", "in-person")
        await walker.sends()
        said = await walker.looks("check the answers of the referral")
        assert journey.family_name in said
        await walker.sends("change")
        assert await walker.page.input_value("[name=email]") == journey.email
        await walker.sends()
        await walker.sends("done")
        await walker.looks("receipt of the referral")
        found = CODE.search(walker.page.url)
        assert found, walker.page.url
        journey.worker = found[1]

        async def listed() -> bool:
            await walker.goes("/segnalazioni")
            return journey.family_name in await walker.page.inner_text("main")

        await eventually(listed, 60)
        await walker.looks("my referrals with the new one")


async def an_operator_admits(journey: Journey, walker: Walker) -> None:
    assert walker.page.url.endswith("/oggi")
    await walker.looks("today")
    await walker.goes("/persone")
    await walker.looks("people")
    await walker.types(nome=journey.family_name[:12].upper())
    await walker.sends()
    await walker.looks("people found")
    await walker.follows(walker.page.locator(f"main a[href^='/persone/{journey.worker}']").first)
    await walker.looks("sheet of somebody who was referred")
    await an_operator_meets(walker)
    await walker.follows(walker.page.locator("main a[href$='/ammissione']").first)
    await walker.looks("admission")
    await walker.types(day="31/12/2199")
    await walker.sends()
    if await walker.page.locator("button[value=done]").count():
        await walker.sends("done")
    await walker.looks("admission on a day to come", status="mistakes")
    await walker.types(day="")
    await walker.sends()
    await walker.looks("check the admission")
    await walker.sends("done")
    await walker.looks("sheet of somebody who was admitted")
    await walker.follows(walker.page.locator("main a[href$='/profilo']").first)
    await walker.looks("profile")
    await walker.chooses(f"slots.{journey.slot}")
    await walker.sends()
    await walker.looks("check the profile")
    await walker.sends("done")
    assert walker.page.url.partition("?")[0].endswith(journey.worker), walker.page.url
    await walker.looks("sheet with a profile")


async def an_operator_meets(walker: Walker) -> None:
    """Reach the person, book the welcome interview, and hold it."""
    tomorrow = today() + timedelta(days=1)
    await walker.follows(walker.page.locator("main a[href$='/contatto']").first)
    await walker.looks("contact")
    await walker.sends()
    await walker.looks("contact with mistakes", status="mistakes")
    await walker.chooses("how", "phone")
    await walker.chooses("reached", "yes")
    await done(walker)
    await walker.follows(walker.page.locator("main a[href$='/appuntamento']").first)
    await walker.looks("booking of the interview")
    await walker.types(date=f"{tomorrow.day}/{tomorrow.month}/{tomorrow.year}", hour="10:30")
    await done(walker)
    assert "ore 10:30" in await walker.looks("sheet with a booked interview")
    await walker.follows(walker.page.locator("main a[href$='/svolto']").first)
    await done(walker)


async def done(walker: Walker) -> None:
    """Send a form, and confirm it where it shows the answers first."""
    await walker.sends()
    if await walker.page.locator("button[value=done]").count():
        await walker.looks("check the answers of a step")
        await walker.sends("done")


async def an_operator_forms_the_group(journey: Journey, walker: Walker) -> None:
    day = a_monday(-2)
    await walker.goes("/proposte")
    await walker.looks("proposals")
    await walker.types(on="ieri")
    await walker.sends()
    await walker.looks("proposals of no day", status="mistakes")
    card = walker.page.locator("article", has=walker.page.locator(f"input[name=members][value*='{journey.worker}']"))

    async def proposed() -> bool:  # grouping hears of the profile a moment later
        await walker.goes("/proposte")
        await walker.types(on=f"{day.day}/{day.month}/{day.year}")
        await walker.sends()
        return bool(await card.count())

    await eventually(proposed, 240)
    await walker.looks("proposed groups")
    journey.leader = await card.locator("input[name=facilitator]").input_value()
    await walker.presses(card.locator("button"))
    await walker.looks("check the new group")
    await walker.sends("done")
    await walker.looks("the new group")
    await walker.goes("/gruppi")
    await walker.looks("groups")

    async def scheduled() -> bool:
        await walker.goes("/incontri")
        return bool(await walker.page.locator("main a[href^='/incontri/']").count())

    await eventually(scheduled, 60)
    await walker.looks("meetings")
    await walker.goes("/oggi")
    await walker.looks("today with a group")
    await walker.goes("/andamento")
    await walker.looks("figures for an operator")


async def whoever_facilitates_calls_the_roll(journey: Journey, members: int) -> None:
    leader = await account(journey.home, "Franca Guida", f"facilitator:{journey.leader}")
    async with journey.walks("facilitator") as walker:
        await sign_in(walker, leader)
        assert walker.page.url.endswith("/gruppo")

        async def shown() -> bool:
            await walker.goes("/gruppo")
            return bool(await walker.page.locator("main a.btn[href^='/gruppo/incontri/']").count())

        await eventually(shown, 60)
        await walker.looks("my groups")
        await walker.follows(walker.page.locator("main a.btn[href^='/gruppo/incontri/']").first)

        async def named() -> bool:  # enrolment hears of the seats a moment later
            await walker.page.reload()
            return "Zelmira Q." in await walker.page.inner_text("main")

        await eventually(named, 60)
        await walker.looks("roll-call by names")
        await walker.sends()
        await walker.looks("roll-call without marks", status="mistakes")
        boxes = walker.page.locator("input[type=radio][value=presente]")
        assert await boxes.count() >= members
        small = "each => { const label = each.closest('.choice'); return label.getBoundingClientRect().height }"
        assert min([await box.evaluate(small) for box in await boxes.all()]) >= 44, "a thumb hits it"
        for name in [await box.get_attribute("name") for box in await boxes.all()]:
            await walker.chooses(str(name), "assente" if journey.worker in str(name) else "presente")
        await walker.sends()
        await walker.looks("roll-call saved")


async def the_person_answers_the_survey(journey: Journey) -> None:
    link = await journey.mail("/questionario/")
    async with journey.walks("survey", script=False) as walker:
        await walker.goes(link)
        await walker.looks("survey")
        await walker.sends()
        await walker.looks("survey without answers", status="mistakes")
        first, *others = ANSWERS.items()
        await walker.chooses(first[0], str(first[1]))
        await walker.sends()
        await walker.looks("survey with one answer", status="mistakes")
        assert await walker.page.locator(f"input[name={first[0]}][value='{first[1]}']").is_checked(), "it is kept"
        for item, answer in others:
            await walker.chooses(item, str(answer))
        await walker.sends()
        await walker.looks("survey answered")
        await walker.goes(link)
        await walker.looks("survey that was answered before")
        await walker.goes(f"{journey.home.base}/questionario/{'x' * 43}")
        await walker.looks("survey of a wrong link")


async def the_person_leaves_and_erases_themself(journey: Journey, operator: Account) -> None:
    async with journey.walks("operator-again") as walker:
        await sign_in(walker, operator, f"/persone/{journey.worker}")
        await walker.looks("sheet of somebody in a group")
        await walker.presses(walker.page.locator("form[action$='/collegamento'] button"))
        await walker.looks("personal link sent")
    link = await journey.mail("/entra/")
    async with journey.walks("worker", script=False) as walker:
        await walker.goes(link)
        await walker.looks("personal link")
        await walker.sends()
        assert walker.page.url.endswith("/me"), walker.page.url
        assert "Zelmira" in await walker.looks("my page")
        for page in ("dati", "consensi", "accessi", "scarica"):
            await walker.goes(f"/me/{page}")
            await walker.looks(f"my page, {page}")
        leave = await leaves(journey, walker)
        await erases(journey, walker, leave)
    async with journey.walks("operator-last") as walker:
        await sign_in(walker, operator, f"/persone/{journey.worker}")
        said = await walker.looks("sheet of somebody who was erased")
        assert journey.family_name not in said


async def leaves(journey: Journey, walker: Walker) -> str:
    """Leave by the link of a second message, which is returned."""
    await walker.goes("/me/lascia")
    await walker.looks("leaving")
    await walker.sends("done")
    await walker.looks("message about leaving sent")
    link = await journey.mail("/me/conferma/")
    await walker.goes(link)
    await walker.looks("confirm leaving")
    await walker.sends()
    await walker.looks("leaving without a reason", status="mistakes")
    await walker.chooses("reason", "found-work")
    await walker.sends()
    await walker.looks("left")
    return link


async def erases(journey: Journey, walker: Walker, earlier: str) -> None:
    await walker.goes("/me/cancella")
    await walker.looks("erasing")
    await walker.sends("done")
    await walker.looks("message about erasing sent")
    await walker.goes(await journey.mail("/me/conferma/", but=earlier))
    await walker.looks("confirm erasing")
    await walker.sends()
    await walker.looks("erased")
    await walker.goes("/me")
    await walker.looks("my page after the erasure")
