"""The whole system on one machine: engines, issuer, mail catcher and the five services, with one folder and one port.

Invariant: the services come from the same `build(settings)` as in any other deployment; only addresses differ, and `run.json` in the
folder has them.
"""

import asyncio
import json
import os
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from rich.console import Console

from services import vault
from services.contracts.topics import SERVICES
from services.embedded import data_folder
from services.embedded.damage import noticing
from services.embedded.mailcatcher import catching
from services.engines import Embedded, EngineError, Engines, progress
from services.engines.private import write_private
from services.front.accounts import FIRST
from services.front.site import NAME as SITE
from services.front.site import Site
from services.identity.auth import Authenticator
from services.identity.issuer import Issuer
from services.identity.settings import CLIENT, SiteSettings
from services.operations.provision.rights import user_of
from services.runtime import serving
from services.runtime.metrics_port import serving_metrics
from services.settings import Misconfigured, Settings
from services.vault.master import VARIABLE as MASTER_KEYS


class Home:
    """The system as an asynchronous context manager: it runs inside the block. `given` are further settings of the services."""

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        secure: bool = False,
        console: Console | None = None,
        engines: Engines | None = None,
        **given: Any,
    ) -> None:
        self.data, self._port, self._secure = data.resolve(), port, secure
        self._console, self._engines, self._given = console or Console(stderr=True, quiet=True), engines, given
        self._stack = AsyncExitStack()
        self._embedded: Embedded | None = None
        self.all_services: serving.AllServices
        self.issuer: Issuer
        self.site: Site
        self.base = self.metrics = ""
        self.first_password: str | None = None  # of the first account, at the start that made it

    async def __aenter__(self) -> Self:
        try:
            await self._enter()
        except BaseException:  # Python calls no __aexit__ after this
            await self._stack.aclose()
            raise
        return self

    async def _enter(self) -> None:
        data_folder.claim(self.data)
        # The port comes first: a start that cannot have it must not start engines, which takes seconds.
        listening = serving.listen(self._port)
        self._stack.callback(listening.close)
        keys = self._make_keys()  # first, since the engines' data folder tells a first start from a lost key
        engines = self._engines or await self._start_engines()
        self.base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.issuer = Issuer(keys, f"{self.base}/issuer")
        smtp = (
            self._given.pop("smtp", None)
            or os.environ.get("AMA_SMTP")
            or self._stack.enter_context(catching(self.data / "mail"))
        )
        self.settings = Settings(
            # Also with another mail server: an earlier start may have kept mails.
            mail_folder=self.data / "mail",
            kafka=engines.kafka,
            mongo=engines.mongo,
            keys=keys,
            issuer=f"{self.base}/issuer",
            public_url=self.base,
            services=f"{self.base}/{{service}}",
            smtp=smtp,
            **engines.login(),
            **self._given,
        )
        settings_of = await self._settings_of_each(engines)
        self.site = Site(self._site_settings(settings_of(SITE)))
        self.all_services = serving.AllServices(settings_of, self.site.routes())
        self.all_services.app.state.auth = Authenticator(self.settings, known=self.site.programmes)
        shown = [service.metrics for service in self.all_services.services.values()]
        metrics_port = await self._stack.enter_async_context(serving_metrics(self.settings.metrics_port or 0, shown))
        self.metrics = f"http://127.0.0.1:{metrics_port}/metrics"
        await self._stack.enter_async_context(serving.serving(self.site.door(self.all_services.app), listening))
        # Left in reverse order: streams of the console end first, then the services, then the port.
        self._stack.push_async_callback(self.all_services.stop)
        self._stack.push_async_callback(self.site.close)
        await self.site.start()
        self.first_password = await self.site.make_first_account()
        self._damage = self._stack.enter_context(noticing(self.data / "kafka" if self._embedded else None))
        with self._console.status("Starting the services"):
            await self._damage.unless_met(self.all_services.start())
        self._write_addresses(engines)

    def _site_settings(self, shared: Settings) -> SiteSettings:
        """Give the settings of the site. People sign in here with its own accounts, whatever the environment says of another site."""
        given = {
            "site_issuer": None,
            "site_client": CLIENT,
            "site_secret": None,
            "site_scope": "openid profile",
            "claims": None,
        }
        return SiteSettings(**{**shared.model_dump(), **given})

    def _make_keys(self) -> Path:
        """Make the keys of services that have none. Misconfigured when there is data without its master key, since a new one
        opens none of it."""
        keys, given = self.data / "keys", bool(os.environ.get(MASTER_KEYS))
        if (self.data / "mongo").exists() and not (given or (keys / "master.jwks").exists()):
            raise Misconfigured(
                f"{keys / 'master.jwks'} is missing, and people's data in {self.data} cannot be read without it: put it back from its "
                f"backup, or start with another folder."
            )
        vault.make_keys(keys, SERVICES, master_given=given)
        return keys

    async def _start_engines(self) -> Engines:
        """Start the engines in a thread, since a first start downloads files and formats folders."""
        embedded = Embedded(self.data, secure=self._secure, report=self._stack.enter_context(progress.bar()))
        engines = await asyncio.to_thread(embedded.start)
        self._stack.callback(embedded.stop)
        self._embedded = embedded
        return engines

    async def _settings_of_each(self, engines: Engines) -> Callable[[str], Settings]:
        """Give the settings of each service. On embedded engines with users each has its own user on both; its passwords are new at
        each start and kept nowhere."""
        if self._embedded is None or engines.sasl is None:
            return lambda _: self.settings
        # Imported here: the client of Kafka's administration is large, and a start without users has no use for it.
        from services.operations.provision import kafka, mongo

        passwords = {name: secrets.token_urlsafe(32) for name in (*SERVICES, SITE)}
        await mongo.make_users(self.settings, passwords)
        await kafka.make_topics(self.settings)
        # The site has no part in the bus, so no user there.
        of_services = {name: password for name, password in passwords.items() if name != SITE}
        await kafka.make_users(engines, of_services, self.settings.database)

        def settings(service: str) -> Settings:
            user = user_of(service, self.settings.database)
            address = signed_in(self.settings.mongo, user, passwords[service])
            given = {"sasl_username": user, "sasl_password": passwords[service], "mongo": address}
            return self.settings.model_copy(update=given)

        return settings

    async def ended(self) -> None:
        """Wait until a service or an engine ends by itself; raises what ended it."""
        services = asyncio.ensure_future(self.all_services.ended())
        try:
            while not services.done():
                if self._embedded is not None and (why := self._embedded.ended()):
                    raise EngineError(why)
                self._damage.check()
                await asyncio.wait([services], timeout=0.5)  # engines are processes: no task announces their end
            services.result()
        finally:
            services.cancel()

    def _write_addresses(self, engines: Engines) -> None:
        """Write `run.json`, by which other commands find the running system. It holds passwords, so only its owner may read it."""
        addresses = {
            "base": self.base,
            "metrics": self.metrics,
            "kafka": engines.kafka,
            "mongo": engines.mongo,
            "database": self.settings.database,
            "pid": os.getpid(),
            "sasl": engines.login(),
        }
        path = self.data / "run.json"
        write_private(path, json.dumps(addresses))
        # Other commands take the file for a running system, so it must not stay.
        self._stack.callback(path.unlink, missing_ok=True)

    def addresses(self) -> dict[str, str]:
        """Give the addresses and files of the running system, by name, for people."""
        named = {name: f"{self.base}/{name}/docs" for name in self.all_services.services}
        engines = {"Kafka": self.settings.kafka, "MongoDB": signed_in(self.settings.mongo)}
        return {
            "site": f"{self.base}/",
            **self._first_account(),
            **named,
            "metrics": self.metrics,
            **engines,
            "data": str(self.data),
            "log": str(log_of(self.data)),
        }

    def _first_account(self) -> dict[str, str]:
        if self.first_password is None:
            return {"accounts": f"ama accounts list --data {self.data}"}
        return {"first account": f"{FIRST}  (password, shown this once: {self.first_password})"}

    def token(self, role: str, programme: str, subject: str | None = None, partner: str | None = None) -> str:
        """Sign a token of the embedded issuer."""
        return self.issuer.token(role, programme, subject or role, partner)

    def client(self) -> httpx.AsyncClient:
        """Open an HTTP client for the public port."""
        return httpx.AsyncClient(base_url=self.base, timeout=30)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


def signed_in(mongo: str, user: str | None = None, password: str = "") -> str:
    """The address of MongoDB with this login; without a user, the address that may be shown."""
    url = urlsplit(mongo)
    login = f"{user}:{password}@" if user else ""
    return url._replace(netloc=login + url.netloc.rpartition("@")[2]).geturl()


def log_of(data: Path) -> Path:
    """Name the log of the system in this folder."""
    return data / "ama.log"
