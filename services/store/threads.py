"""Threads for a driver that blocks: each call runs in one, in the context of its caller, and answers on the caller's loop.

Invariant: a call whose caller was cancelled before it began is not run. Calls wait while all threads are busy.

The executor of the standard library makes a second future for each call and chains it to the caller's. That took half of the CPU of a
hop, and a command makes three.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class _Call(NamedTuple):
    """One call, and the future that its caller awaits."""

    work: Callable[[], Any]
    context: Context
    answer: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


class Threads:
    """At most `number` threads, each started when a call finds all others busy. Used by one event loop."""

    def __init__(self, number: int, name: str) -> None:
        self._number, self._name = number, name
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._started = self._busy = 0  # changed by the loop alone
        self._closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread; return or raise what it does. RuntimeError after `close`."""
        if self._closed:
            raise RuntimeError(f"the threads of {self._name} are closed")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._busy += 1
        if self._started < min(self._busy, self._number):
            # A daemon: a thread that waits for a silent server must not keep the process from ending.
            Thread(target=self._work, name=f"{self._name}_{self._started}", daemon=True).start()
            self._started += 1
        self._calls.put(_Call(work, copy_context(), answer, loop))
        return await answer

    def close(self) -> None:
        """End each thread after its present call."""
        self._closed = True
        for _ in range(self._started):
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            result: Any = None
            error: BaseException | None = None
            if not call.answer.cancelled():
                try:
                    result = call.context.run(call.work)
                except BaseException as raised:  # noqa: BLE001  # given to the caller
                    error = raised
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                call.loop.call_soon_threadsafe(self._answer, call.answer, result, error)
            del call, result, error  # else an idle thread would keep the last documents

    def _answer(self, answer: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
        self._busy -= 1
        if answer.done():  # the caller was cancelled meanwhile
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)
