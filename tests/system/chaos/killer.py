"""The killer: a seeded schedule of blows, and the hand that strikes them.

Invariants: the same seed gives the same schedule; whatever is struck down is up again after a while, so that at the end all runs.
Nothing here knows a service: it is given names, and things that can be hit.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

LEASE, SESSION = 6.0, 10.0  # seconds: of a lease, and of a consumer's session with its group


class Targets(Protocol):
    """What can be hit."""

    def kill(self, name: str) -> None:
        """SIGKILL."""

    def freeze(self, name: str) -> None:
        """SIGSTOP."""

    def thaw(self, name: str) -> None:
        """SIGCONT; nothing when it is not frozen any more."""

    async def start(self, name: str) -> None:
        """Again."""

    def runs(self, name: str) -> bool:
        """Whether a blow would hit anything."""


@dataclass(frozen=True, slots=True)
class Blow:
    """`pause` seconds after the one before, `whom` is killed or frozen, for so many seconds."""

    pause: float
    how: str
    whom: str
    lasts: float


def schedule(seed: int, processes: Sequence[str], engines: Sequence[str], every: float) -> Iterator[Blow]:
    """Blows without end, about one in `every` seconds: of a hundred, six at an engine, and of the others every second one a freeze,
    half of the freezes so long that leases and sessions end."""
    chance = random.Random(seed)
    while True:
        pause, draw = chance.uniform(0.3, 1.7) * every, chance.random()
        if draw < 0.06:
            yield Blow(pause, "SIGKILL", chance.choice(engines), chance.uniform(0.0, 3.0))
        elif draw < 0.53:
            yield Blow(pause, "SIGKILL", chance.choice(processes), chance.uniform(0.0, 3.0))
        elif draw < 0.76:
            yield Blow(pause, "SIGSTOP", chance.choice(processes), chance.uniform(0.1, LEASE / 2))
        else:
            yield Blow(pause, "SIGSTOP", chance.choice(processes), chance.uniform(LEASE + 2, SESSION + 5))


class Killer:
    """Strikes so many blows that hit, and tells of each."""

    def __init__(self, targets: Targets, say: Callable[[str], None]) -> None:
        self._targets, self._say, self._began = targets, say, time.monotonic()
        self._struck: dict[str, asyncio.Task[None]] = {}
        self.counts: Counter[str] = Counter()

    @property
    def kills(self) -> int:
        """How many blows hit so far."""
        return sum(self.counts.values())

    async def strike(self, blows: Iterator[Blow], number: int) -> None:
        """Strike until so many have hit. Who is down already is passed over."""
        for blow in blows:
            if self.kills >= number:
                return
            await asyncio.sleep(blow.pause)
            if blow.whom not in self._struck and self._targets.runs(blow.whom):
                self._hit(blow)

    def _hit(self, blow: Blow) -> None:
        (self._targets.kill if blow.how == "SIGKILL" else self._targets.freeze)(blow.whom)
        self.counts[blow.how] += 1
        at = time.monotonic() - self._began
        self._say(f"{at:8.1f} s  {self.kills:4}  {blow.how} {blow.whom}, for {blow.lasts:.1f} s")
        self._struck[blow.whom] = asyncio.get_running_loop().create_task(self._relent(blow))

    async def _relent(self, blow: Blow) -> None:
        await asyncio.sleep(blow.lasts)
        if blow.how == "SIGSTOP":
            self._targets.thaw(blow.whom)
        else:
            await self._targets.start(blow.whom)
        del self._struck[blow.whom]

    async def relent(self) -> None:
        """Wait until everything that was struck is up again."""
        while self._struck:
            await asyncio.gather(*self._struck.values())
