"""One campaign: people live, the killer strikes, everything comes to rest, the oracle judges.

Invariant: whatever happens, there is a verdict; what was not answered, or did not come to rest in time, is part of it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

from tests.system.chaos.engines import NAMES
from tests.system.chaos.field import Field, Say, field_of
from tests.system.chaos.killer import Killer, schedule
from tests.system.chaos.lives import Lives
from tests.system.chaos.oracle import Finding, verdict

LAST_DEEDS, REST = (
    120.0,
    400.0,
)  # seconds for what was begun to be done, and then for everything to come to rest: letters can take 300

Judged = tuple[list[Finding], int]  # what was found, and how many events were said


@dataclass(frozen=True)
class Plan:
    """How long and how hard: until so many commands are acknowledged and so many blows have hit."""

    seed: int
    kills: int
    commands: int
    every: float = 2.0  # seconds between blows, on average
    pause: float = 0.22  # seconds between two people's arrivals
    at_once: int = 30  # people on their way to the pool
    breach: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What happened, and what the oracle found."""

    plan: Plan
    blows: Counter[str]
    commands: int
    events: int
    ended: list[str]
    trouble: Counter[str]
    findings: list[Finding]
    minutes: float

    @property
    def closing(self) -> str:
        """One line."""
        found = Counter(each.kind for each in self.findings)
        return (
            f"kills={sum(self.blows.values())} ({', '.join(f'{n} {how}' for how, n in sorted(self.blows.items()))}) "
            f"commands={self.commands} events={self.events} lost={found['lost']} doubled={found['doubled']} "
            f"other={found['other']} seed={self.plan.seed} minutes={self.minutes:.1f}"
        )


async def campaign(plan: Plan, folder: Path, say: Say) -> Outcome:
    """Carry it out in an empty folder."""
    began = time.monotonic()
    async with field_of(folder, plan.seed, say, breach=plan.breach) as field:
        say(f"all up after {time.monotonic() - began:.0f} s")
        killer = Killer(field, say)
        stuck, _ = await _in_any_case(_fight(plan, field, killer))
        findings, events = await _in_any_case(asyncio.to_thread(verdict, field.evidence(), REST))
        ledger = field.driver.ledger
        for line in (*field.fleet.ended, f"refused: {dict(ledger.refused)}", f"trouble: {dict(ledger.trouble)}"):
            say(line)
        minutes = (time.monotonic() - began) / 60
        return Outcome(
            plan,
            killer.counts,
            ledger.acknowledged,
            events,
            field.fleet.ended,
            ledger.trouble,
            stuck + findings,
            minutes,
        )


async def _in_any_case(what: Awaitable[Judged]) -> Judged:
    """What it gives; and whatever goes wrong with it is a finding."""
    try:
        return await what
    except Exception as error:  # noqa: BLE001  # an unattended run ends with a verdict
        return [Finding("other", f"the campaign itself failed: {error!r}")], 0


async def _tell(field: Field) -> None:
    while True:
        await asyncio.sleep(60.0)
        field.say(f"                  {field.driver.ledger.acknowledged} commands are acknowledged")


async def _fight(plan: Plan, field: Field, killer: Killer) -> Judged:
    """People and killer at once; then what was begun is finished in peace."""
    lives = Lives(field.driver, plan.seed)
    living = asyncio.ensure_future(lives.go_on(plan.at_once, plan.pause))
    blows = schedule(plan.seed, list(field.fleet.copies), NAMES, plan.every)
    striking = asyncio.ensure_future(killer.strike(blows, plan.kills))
    telling = asyncio.ensure_future(_tell(field))
    while not living.done() and (not striking.done() or field.driver.ledger.acknowledged < plan.commands):
        await asyncio.sleep(0.2)
    telling.cancel()
    lives.over.set()
    await striking
    await killer.relent()
    field.say(f"{killer.kills} blows, {field.driver.ledger.acknowledged} commands: all is let be")
    done, _ = await asyncio.wait([living], timeout=LAST_DEEDS)
    if not done:
        living.cancel()
        return [Finding("lost", f"{len(field.driver.ledger.waiting)} commands were not answered in time")], 0
    living.result()
    return [], 0
