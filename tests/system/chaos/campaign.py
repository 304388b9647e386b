"""One campaign: people act, faults are injected, the system comes to rest, the oracle checks.

Invariant: there is always a verdict; commands without an answer, and whatever does not come to rest in time, are findings.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

from tests.system.chaos.deployment import Deployment, Say, deployed
from tests.system.chaos.engines import NAMES
from tests.system.chaos.killer import Killer, schedule
from tests.system.chaos.lives import Lives
from tests.system.chaos.oracle import Finding, verdict

LAST_COMMANDS = 120.0  # seconds in which the commands that were begun end
REST = 400.0  # seconds after that in which the system comes to rest: messages can take 300

Verdict = tuple[list[Finding], int]  # findings, and the number of events


@dataclass(frozen=True)
class Plan:
    """Length and strength of a campaign: it runs until so many commands are acknowledged and so many faults took effect."""

    seed: int
    kills: int
    commands: int
    every: float = 2.0  # seconds between faults, on average
    pause: float = 0.22  # seconds between two people's arrivals
    at_once: int = 30  # people on their way to the pool
    breach: str | None = None


@dataclass(frozen=True)
class Outcome:
    """Counts of a campaign, and the findings of the oracle."""

    plan: Plan
    faults: Counter[str]
    commands: int
    events: int
    ended: list[str]
    trouble: Counter[str]
    findings: list[Finding]
    minutes: float

    @property
    def closing(self) -> str:
        """The closing line that is printed."""
        found = Counter(each.kind for each in self.findings)
        return (
            f"kills={sum(self.faults.values())} ({', '.join(f'{n} {how}' for how, n in sorted(self.faults.items()))}) "
            f"commands={self.commands} events={self.events} lost={found['lost']} doubled={found['doubled']} "
            f"other={found['other']} seed={self.plan.seed} minutes={self.minutes:.1f}"
        )


async def campaign(plan: Plan, folder: Path, say: Say) -> Outcome:
    """Run the campaign in an empty folder."""
    began = time.monotonic()
    async with deployed(folder, plan.seed, say, breach=plan.breach) as deployment:
        say(f"all up after {time.monotonic() - began:.0f} s")
        killer = Killer(deployment, say)
        stuck, _ = await _never_failing(_run(plan, deployment, killer))
        findings, events = await _never_failing(asyncio.to_thread(verdict, deployment.evidence(), REST))
        ledger = deployment.driver.ledger
        for line in (*deployment.fleet.ended, f"refused: {dict(ledger.refused)}", f"trouble: {dict(ledger.trouble)}"):
            say(line)
        minutes = (time.monotonic() - began) / 60
        return Outcome(
            plan,
            killer.counts,
            ledger.acknowledged,
            events,
            deployment.fleet.ended,
            ledger.trouble,
            stuck + findings,
            minutes,
        )


async def _never_failing(step: Awaitable[Verdict]) -> Verdict:
    """Await the verdict. An exception becomes a finding."""
    try:
        return await step
    except Exception as error:  # noqa: BLE001  # an unattended run ends with a verdict
        return [Finding("other", f"the campaign itself failed: {error!r}")], 0


async def _report(deployment: Deployment) -> None:
    while True:
        await asyncio.sleep(60.0)
        deployment.say(f"                  {deployment.driver.ledger.acknowledged} commands are acknowledged")


async def _run(plan: Plan, deployment: Deployment, killer: Killer) -> Verdict:
    """Let people act while faults are injected; then let every begun command end without faults."""
    lives = Lives(deployment.driver, plan.seed)
    living = asyncio.ensure_future(lives.go_on(plan.at_once, plan.pause))
    faults = schedule(plan.seed, list(deployment.fleet.copies), NAMES, plan.every)
    injecting = asyncio.ensure_future(killer.inject(faults, plan.kills))
    reporting = asyncio.ensure_future(_report(deployment))
    while not living.done() and (not injecting.done() or deployment.driver.ledger.acknowledged < plan.commands):
        await asyncio.sleep(0.2)
    reporting.cancel()
    lives.over.set()
    await injecting
    await killer.restored()
    deployment.say(f"{killer.kills} faults, {deployment.driver.ledger.acknowledged} commands: no more faults")
    done, _ = await asyncio.wait([living], timeout=LAST_COMMANDS)
    if not done:
        living.cancel()
        return [Finding("lost", f"{len(deployment.driver.ledger.waiting)} commands were not answered in time")], 0
    living.result()
    return [], 0
