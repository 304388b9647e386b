"""A consumer's own command line, so that a partner's program is also the tool by which it is looked after."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from services.consumer.feed import FeedStopped
from services.consumer.partner import Consumer


def main(consumer: Consumer, beside: Callable[[], object] | None = None) -> None:
    """Run it, or do with it what the arguments say; `beside` is called before it runs (to start a page, say)."""
    chosen = _parser(consumer.name).parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        if chosen.command == "run" and beside is not None:
            beside()
        with suppress(KeyboardInterrupt):
            asyncio.run(_do(consumer, chosen))
    except FeedStopped as error:
        sys.exit(str(error))


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"The consumer {name} of a partner's feed.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    parser.set_defaults(command="run")
    commands.add_parser("run", help="take what is there and what comes (the default)")
    commands.add_parser("lag", help="how many entries it is behind")
    commands.add_parser("rebuild", help="build the projection anew beside the live one, then switch over")
    commands.add_parser("dead", help="entries that failed or wait, and why")
    for command, what in (
        ("show", "print a dead entry"),
        ("redrive", "try it again"),
        ("dismiss", "let it have no effect, ever"),
    ):
        commands.add_parser(command, help=what).add_argument("place", type=int, help="its sequence in the feed")
    return parser


async def _do(consumer: Consumer, chosen: argparse.Namespace) -> None:
    match chosen.command:
        case "run":
            running = asyncio.ensure_future(consumer.run())
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
            with suppress(asyncio.CancelledError):
                await running
        case "lag":
            lag = await consumer.lag()
            _say(
                f"{lag.behind} behind, {lag.aside} set aside"
                + (f", stands still: {lag.stopped}" if lag.stopped else "")
            )
        case "rebuild":
            _say(f"generation {await consumer.rebuild()} is read now")
        case "dead":
            for letter in await consumer.dead():
                _say(
                    f"{letter.sequence}\t{letter.entry['type']}\t{letter.why}\t({letter.behind} behind it, since {letter.since})"
                )
        case "show":
            entry = next((each.entry for each in await consumer.dead() if each.sequence == chosen.place), None)
            _say(json.dumps(entry, indent=2) if entry else _none(chosen.place))
        case "redrive" | "dismiss":
            found = await (consumer.redrive if chosen.command == "redrive" else consumer.dismiss)(chosen.place)
            still = next((each.why for each in await consumer.dead() if each.sequence == chosen.place), None)
            _say((f"failed again: {still}" if still else "done") if found else _none(chosen.place))


def _none(place: int) -> str:
    return f"nothing is set aside at place {place}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
