"""The killer: a seeded schedule of faults, and the injection of each.

Invariants: the same seed gives the same schedule; every fault ends after a while, so that at the end all targets run. This module knows
no service: it gets names and targets.
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
    """Processes and engines that faults can be injected into, by name."""

    def kill(self, name: str) -> None:
        """Send SIGKILL to the target."""

    def freeze(self, name: str) -> None:
        """Send SIGSTOP to the target."""

    def thaw(self, name: str) -> None:
        """Send SIGCONT to the target. Does nothing when it is not frozen."""

    async def start(self, name: str) -> None:
        """Start the target again."""

    def runs(self, name: str) -> bool:
        """Tell if a fault would take effect."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A signal (`how`) to one target (`whom`), `pause` seconds after the fault before. It `lasts` so many seconds."""

    pause: float
    how: str
    whom: str
    lasts: float


def schedule(seed: int, processes: Sequence[str], engines: Sequence[str], every: float) -> Iterator[Fault]:
    """Give faults without end, about one in `every` seconds. Six in a hundred hit an engine. Half of the others are freezes, and half of
    those last longer than leases and group sessions."""
    chance = random.Random(seed)
    while True:
        pause, draw = chance.uniform(0.3, 1.7) * every, chance.random()
        if draw < 0.06:
            yield Fault(pause, "SIGKILL", chance.choice(engines), chance.uniform(0.0, 3.0))
        elif draw < 0.53:
            yield Fault(pause, "SIGKILL", chance.choice(processes), chance.uniform(0.0, 3.0))
        elif draw < 0.76:
            yield Fault(pause, "SIGSTOP", chance.choice(processes), chance.uniform(0.1, LEASE / 2))
        else:
            yield Fault(pause, "SIGSTOP", chance.choice(processes), chance.uniform(LEASE + 2, SESSION + 5))


class Killer:
    """Injects faults, and reports each."""

    def __init__(self, targets: Targets, say: Callable[[str], None]) -> None:
        self._targets, self._say, self._began = targets, say, time.monotonic()
        self._active: dict[str, asyncio.Task[None]] = {}
        self.counts: Counter[str] = Counter()

    @property
    def kills(self) -> int:
        """Number of faults that took effect so far."""
        return sum(self.counts.values())

    async def inject(self, faults: Iterator[Fault], number: int) -> None:
        """Inject faults until `number` of them took effect. Targets that are down are passed over."""
        for fault in faults:
            if self.kills >= number:
                return
            await asyncio.sleep(fault.pause)
            if fault.whom not in self._active and self._targets.runs(fault.whom):
                self._hit(fault)

    def _hit(self, fault: Fault) -> None:
        (self._targets.kill if fault.how == "SIGKILL" else self._targets.freeze)(fault.whom)
        self.counts[fault.how] += 1
        at = time.monotonic() - self._began
        self._say(f"{at:8.1f} s  {self.kills:4}  {fault.how} {fault.whom}, for {fault.lasts:.1f} s")
        self._active[fault.whom] = asyncio.get_running_loop().create_task(self._end(fault))

    async def _end(self, fault: Fault) -> None:
        await asyncio.sleep(fault.lasts)
        if fault.how == "SIGSTOP":
            self._targets.thaw(fault.whom)
        else:
            await self._targets.start(fault.whom)
        del self._active[fault.whom]

    async def restored(self) -> None:
        """Wait until every injected fault has ended."""
        while self._active:
            await asyncio.gather(*self._active.values())
