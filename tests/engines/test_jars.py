"""Kafka's jars are fetched once, as published, from where the machine says, and never again."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.engines import FetchFailed
from services.engines.fetch import fetch
from services.engines.jar_list import Jar, listed
from services.engines.jars import ready

CONTENT = b"a jar" * 10_000
JAR = Jar("org.example", "thing", "1.0", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
ALONE = """\
import sys
from pathlib import Path
sys.modules["jgo"] = sys.modules["requests"] = sys.modules["services.engines.fetch"] = None
from services.engines import Embedded
with Embedded(Path(sys.argv[1])) as engines:
    print(engines.kafka)
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Maven repository with one jar, on a machine without any settings yet."""
    path = tmp_path / "repository" / "org" / "example" / "thing" / "1.0"
    path.mkdir(parents=True)
    (path / "thing-1.0.jar").write_bytes(CONTENT)
    (path / "thing-1.0.jar.sha1").write_text(hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "JGO_CONFIG_FILE", "M2_REPO"):
        monkeypatch.delenv(name, raising=False)
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path / "repository")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def set_up(home: Path, name: str, text: str) -> None:
    """Write one of the machine's settings files."""
    (home / name).parent.mkdir(parents=True)
    (home / name).write_text(text)


def test_a_jar_comes_from_the_repository_of_jgos_settings_and_its_bytes_are_told(
    tmp_path: Path, repository: str
) -> None:
    set_up(tmp_path / "home", ".config/jgo.conf", f"[repositories]\ncentral = {repository}\n")
    reports: list[tuple[str, int, int]] = []
    fetch([JAR], tmp_path / "cache" / "jars", lambda *report: reports.append(report))
    assert (tmp_path / "cache" / "jars" / "thing-1.0.jar").read_bytes() == CONTENT
    assert reports[-1] == ("Fetching Kafka", len(CONTENT), len(CONTENT))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["jars"]


def test_a_jar_comes_from_the_mirror_of_mavens_settings(tmp_path: Path, repository: str) -> None:
    mirror = f"<mirror><id>near</id><mirrorOf>*</mirrorOf><url>{repository}/</url></mirror>"
    settings = f'<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><mirrors>{mirror}</mirrors></settings>'
    set_up(tmp_path / "home", ".m2/settings.xml", settings)
    fetch([JAR], tmp_path / "jars", lambda *_: None)
    assert (tmp_path / "jars" / "thing-1.0.jar").read_bytes() == CONTENT


def test_a_jar_that_is_not_the_published_one_is_refused(tmp_path: Path, repository: str) -> None:
    set_up(tmp_path / "home", ".config/jgo.conf", f"[repositories]\ncentral = {repository}\n")
    with pytest.raises(FetchFailed, match=r"org.example:thing:1.0 that was fetched is not the published one"):
        fetch([JAR._replace(sha256="0" * 64)], tmp_path / "jars", lambda *_: None)
    assert list((tmp_path / "jars").iterdir()) == []


def test_a_jar_that_cannot_be_had_is_named_in_one_sentence(tmp_path: Path, repository: str) -> None:
    set_up(tmp_path / "home", ".config/jgo.conf", f"[repositories]\ncentral = {repository}\n")
    with pytest.raises(
        FetchFailed, match=r"org.example:thing:2.0 could not be fetched .* check this machine's network"
    ):
        fetch([JAR._replace(version="2.0")], tmp_path / "jars", lambda *_: None)


def test_with_all_jars_there_engines_start_without_network_java_or_maven(tmp_path: Path) -> None:
    ready()
    (tmp_path / "bin").mkdir()
    environment = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), "AMA_CACHE": str(ready().parent)}
    command = [sys.executable, "-c", ALONE, str(tmp_path / "data")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("127.0.0.1:"), done.stderr


def test_the_list_has_one_version_of_each_jar() -> None:
    jars = listed()
    assert len({(jar.group, jar.artifact) for jar in jars}) == len(jars)
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {"4.3.1"}
