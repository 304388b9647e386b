"""Command line of a partner's consumer: run it, and see to its lag, its rebuilds and its dead letters."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from aiokafka.errors import KafkaError

from services.consumer.feed import FeedStopped
from services.consumer.partner import Consumer
from services.consumer.stores import StoreAway


def main(consumer: Consumer, beside: Callable[[], object] | None = None) -> None:
    """Do what the command line says. `beside` is called before the consumer runs, for example to start a page."""
    chosen = _parser(consumer.name).parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    # It logs each attempt to connect, several a second. The kit says once that Kafka is away, and once that it is back.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        if chosen.command == "run" and beside is not None:
            beside()
        with suppress(KeyboardInterrupt):
            asyncio.run(_do(consumer, chosen))
    except FeedStopped as error:
        sys.exit(str(error))
    except KafkaError as error:
        sys.exit(f"Kafka at {consumer.feed.kafka} does not answer, or refuses the user ({type(error).__name__}).")
    except StoreAway as error:
        sys.exit(str(error))
    except (OSError, OverflowError) as error:  # of a page: its port is taken, or is none
        sys.exit(f"This machine refused: {error}.")


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"The consumer {name} of a partner's feed.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    parser.set_defaults(command="run")
    commands.add_parser("run", help="take entries for ever (the default)")
    commands.add_parser("lag", help="show how many entries it is behind")
    commands.add_parser("rebuild", help="build the projection again beside the live one, then switch over")
    commands.add_parser("dead", help="list the entries that failed or wait, with the reason")
    for command, what in (
        ("show", "print a dead entry"),
        ("redrive", "try it again"),
        ("dismiss", "exclude it for ever"),
    ):
        commands.add_parser(command, help=what).add_argument("place", type=int, help="its sequence in the feed")
    return parser


async def _do(consumer: Consumer, chosen: argparse.Namespace) -> None:
    match chosen.command:
        case "run":
            running = asyncio.ensure_future(consumer.run())
            # Docker and systemd end a program with SIGTERM. A batch that is cut off is rolled back.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
            with suppress(asyncio.CancelledError):
                await running
        case "lag":
            lag = await consumer.lag()
            _say(f"{lag.behind} behind, {lag.aside} set aside" + (f", stopped: {lag.stopped}" if lag.stopped else ""))
        case "rebuild":
            _say(f"generation {await consumer.rebuild()} is read now")
        case "dead":
            for each in await consumer.dead():
                _say(
                    f"{each.sequence}\t{each.entry['type']}\t{each.why}\t({each.behind} behind it, since {each.since})"
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
