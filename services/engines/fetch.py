"""Fetch jars through jgo from the Maven repositories that this machine is configured for.

Invariant: a jar reaches its folder by one rename, after its SHA-256 was found right; a fetch that is killed leaves
only a temporary folder. Each jar is fetched as it is listed: nothing is resolved, so neither Maven nor Java is
needed. Repositories are those of jgo's own settings file, else Maven Central or its mirror in Maven's user
settings.
"""

import hashlib
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import requests
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver

from services.engines.errors import FetchFailed
from services.engines.jar_list import Jar, Report

PARALLEL = 6
ATTEMPTS = 3
TIMEOUT = 60  # seconds without an answer
CENTRAL_MIRRORS = {"central", "*", "external:*"}


def fetch(jars: Sequence[Jar], folder: Path, report: Report) -> None:
    """Fetch the jars into the folder and report the bytes. Raises FetchFailed."""
    folder.mkdir(parents=True, exist_ok=True)
    tally = _Tally(sum(jar.size for jar in jars), report)
    with (
        # Beside the folder of the jars: a rename works within one file system only.
        tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as landing,
        ThreadPoolExecutor(PARALLEL) as pool,
    ):
        for fetched in [pool.submit(_fetch_one, jar, Path(landing), folder, tally) for jar in jars]:
            fetched.result()


def repositories() -> dict[str, str]:
    """Return the names and addresses of the Maven repositories, in the order in which they are asked."""
    own: dict[str, str] = GlobalSettings.load().repositories
    return {**own, "central": own.get("central") or _mirror() or MAVEN_CENTRAL_URL}


def _mirror() -> str | None:
    settings = Path.home() / ".m2" / "settings.xml"
    if not settings.exists():
        return None
    # `{*}`: users' settings name Maven's XML namespace, or leave it out.
    for mirror in ElementTree.parse(settings).iterfind(".//{*}mirror"):  # noqa: S314  # the user's own file
        wanted = set((mirror.findtext("{*}mirrorOf") or "").split(","))
        # In Maven's syntax `!central` exempts Central from `*`.
        if wanted & CENTRAL_MIRRORS and "!central" not in wanted:
            return (mirror.findtext("{*}url") or "").strip().rstrip("/")
    return None


def _fetch_one(jar: Jar, landing: Path, folder: Path, tally: "_Tally") -> None:
    for attempt in range(1, ATTEMPTS + 1):
        context = MavenContext(
            PythonResolver(progress_callback=tally.progress),
            repo_cache=landing / f"{jar.name}-{attempt}",
            remote_repos=repositories(),
            timeout=TIMEOUT,
        )
        try:
            path = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
            _keep(jar, path, folder)
            return
        except (requests.RequestException, RuntimeError) as error:
            if attempt == ATTEMPTS:
                raise FetchFailed(
                    f"The jar {jar.group}:{jar.artifact}:{jar.version} could not be fetched ({error}); "
                    "check this machine's network and its settings for Maven repositories."
                ) from error


def _keep(jar: Jar, path: Path, folder: Path) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != jar.sha256:
        raise FetchFailed(
            f"The jar {jar.group}:{jar.artifact}:{jar.version} that was fetched is not the published one."
        )
    path.replace(folder / jar.name)


class _Tally:
    """Adds up the bytes that all threads have received. A repeated attempt is not counted beyond the total."""

    def __init__(self, total: int, report: Report) -> None:
        self._done, self._total, self._report, self._lock = 0, total, report, threading.Lock()

    @contextmanager
    def progress(self, _filename: str, _size: int) -> Iterator[Callable[[int], None]]:
        """Implement jgo's hook: entered for each file, called for each chunk."""
        yield self._add

    def _add(self, received: int) -> None:
        with self._lock:
            self._done = min(self._done + received, self._total)
            self._report("Fetching Kafka", self._done, self._total)
