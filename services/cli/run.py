"""`ama up` (everything on this machine) and `ama serve` (one service, on engines that the environment names)."""

import asyncio
import logging
import os
import signal
from contextlib import nullcontext
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.cli.terminal import Terminal

Data = Annotated[
    Path, typer.Option("--data", help="Folder that holds everything: engines' data, keys, mail.", envvar="AMA_DATA")
]
HERE = Path(".ama")


def up(
    data: Data = HERE,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the five services on 127.0.0.1; 0 takes a free one.")
    ] = 8000,
    secure: Annotated[
        bool,
        typer.Option(
            help="Give the embedded engines users with rights: Kafka by SASL/SCRAM and ACLs, MongoDB by SCRAM."
        ),
    ] = False,
) -> None:
    """Start Kafka, MongoDB and all five services on this machine. Ctrl-C stops them.

    Docker, Java or a database need not be installed. The first start downloads Kafka; later starts work offline. Addresses are printed and
    kept in DATA/run.json, where other commands find them. The log is DATA/ama.log; metrics are at /metrics of AMA_METRICS_PORT, or of a
    free port.
    """
    import uvloop

    from services.embedded.home import Home
    from services.runtime.serving import settle

    log_to(data)

    async def stay() -> None:
        async with Home(data, port=port, secure=secure, console=Terminal(stderr=True)) as home:
            settle()
            Terminal().print(addresses(home.addresses()))
            await until_stopped([home.ended()])

    uvloop.run(stay())


def serve(
    service: Annotated[str, typer.Argument(help="enrolment, grouping, sessions, notifications or analytics; or site")],
    roles: Annotated[
        str, typer.Option(help="Roles to run, comma-separated: api, consume, relay.")
    ] = "api,consume,relay",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Run one service, or some of its roles, on the engines that AMA_KAFKA and AMA_MONGO name; or the site, which needs AMA_MONGO alone.

    Any number of copies can run: they share the partitions, and one relay sends while the others stand by. Every role answers /healthz and
    /readyz, also without `api`. Metrics are at /metrics of AMA_METRICS_PORT, if it is set. The log goes to standard error.
    """
    import uvloop

    from services import settings, telemetry
    from services.contracts.topics import SERVICES
    from services.runtime import serving
    from services.runtime.metrics_port import serving_metrics
    from services.runtime.service import ROLES, running

    # It has no roles, and settings of its own.
    if service == "site":
        _serve_site(host, port)
        return
    wanted = [role.strip() for role in roles.split(",") if role.strip()]
    if service not in SERVICES or not wanted or set(wanted) - set(ROLES):
        raise settings.Misconfigured(
            f"ama serve takes one of {', '.join(SERVICES)} and roles among {', '.join(ROLES)}."
        )
    given = settings.from_environment()
    telemetry.log_as_json()

    async def stay() -> None:
        one = serving.build(service, given)
        port_of_metrics = given.metrics_port
        shown = nullcontext() if port_of_metrics is None else serving_metrics(port_of_metrics, [one.metrics], host)
        async with (
            shown,
            # The port opens after the service has started, so that no request meets one that cannot answer.
            running(one, wanted),
            serving.serving(
                serving.alone(one, "api" in wanted),
                serving.listen(port, host),
                proxies=os.environ.get("AMA_PROXIES") or None,
            ),
        ):
            assert one.tasks.ended is not None
            serving.settle()
            await until_stopped([one.tasks.ended])

    uvloop.run(stay())


def _serve_site(host: str, port: int) -> None:
    """Serve the site: sign-in, web sessions, our own issuer, the console. It calls the services by their addresses.

    Failed sign-ins are counted by the address of the caller. Behind a proxy, AMA_PROXIES names the networks whose X-Forwarded-For is
    believed.
    """
    import uvloop

    from services import telemetry
    from services.front.site import Site
    from services.identity.settings import SiteSettings
    from services.runtime import serving
    from services.settings import from_environment

    given = from_environment(SiteSettings)
    telemetry.log_as_json()

    async def stay() -> None:
        site = Site(given)
        await site.start()
        listening = serving.listen(port, host)
        async with serving.serving(site.app(), listening, proxies=os.environ.get("AMA_PROXIES") or None):
            try:
                await until_stopped([])
            finally:
                # Before the server stops, since it waits for open streams.
                await site.close()

    uvloop.run(stay())


def log_to(data: Path) -> None:
    """Write the log to a file of the folder, so that the terminal stays readable."""
    from services.embedded import data_folder
    from services.embedded.home import log_of
    from services.telemetry import log_as_json

    data_folder.claim(data)
    log_as_json(logging.WARNING, RotatingFileHandler(log_of(data), maxBytes=10_000_000, backupCount=3, delay=True))


async def until_stopped(others: list[Any]) -> None:
    """Wait for SIGINT, SIGTERM, or the end of one of the others, whose error is raised."""
    loop, signalled = asyncio.get_running_loop(), asyncio.Event()
    # A KeyboardInterrupt would end the process anywhere; so services finish what is in hand.
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signalled.set)
    waiting = [asyncio.ensure_future(each) for each in (signalled.wait(), *others)]
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in pending:
        each.cancel()
    for each in done:
        each.result()


def addresses(named: dict[str, str]) -> Table:
    """A table of names and addresses."""
    table = Table("name", title="AMA Lavoro is up")
    # Folded, since an address that is cut leads nowhere.
    table.add_column("address", overflow="fold")
    for name, address in named.items():
        table.add_row(name, address)
    return table
