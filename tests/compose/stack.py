"""A copy of what a new operator has, in a folder of its own, and the commands that the operator gives there.

Invariant: project, image, ports and secrets are the test's own, so that a deployment on the same machine is not touched.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.compose.docker_here import IMAGES

ROOT = Path(__file__).parents[2]
GIVEN = [
    "Dockerfile", ".dockerignore", "Makefile", "docker-compose.yml", "ops", "programmes", "pyproject.toml", "README.md", "LICENSE",
    "requirements.lock", "requirements.image.lock", "services", "enrolment", "grouping", "sessions", "notifications", "analytics",
]  # fmt: skip
PATIENCE = 240.0  # seconds


class Stack:
    """Everything that `make up` starts."""

    def __init__(self, folder: Path, project: str) -> None:
        self.folder, self.project = folder, project
        mine = {
            "COMPOSE_PROJECT_NAME": project,
            "AMA_VERSION": project,
            "DOCKER_BUILDKIT": "0",
            "COMPOSE_PROGRESS": "plain",
        }
        ports = {"AMA_HTTP": "127.0.0.1::8000", "AMA_HTTPS": "127.0.0.1::443", "AMA_MAILPIT": "127.0.0.1::8025"}
        theirs = {name: value for name, value in os.environ.items() if name in IMAGES or not name.startswith("AMA_")}
        self.environment = theirs | mine | ports
        for name in GIVEN:
            source, copy = ROOT / name, folder / name
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)

    def run(
        self, *command: str, check: bool = True, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A command in that folder; its output is in the failure."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        if check and done.returncode:
            raise AssertionError(
                f"{' '.join(command)}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            )
        return done

    def compose(self, *words: str, check: bool = True, **more: str) -> str:
        """`docker compose …`; what it printed."""
        return self.run("docker", "compose", *words, check=check, environment=more).stdout

    def containers(self) -> list[dict[str, Any]]:
        """What the engine knows of each, also of those that have ended."""
        ids = self.compose("ps", "--all", "--quiet").split()
        found: list[dict[str, Any]] = json.loads(self.run("docker", "inspect", *ids).stdout)
        return found

    def of(self, service: str) -> list[dict[str, Any]]:
        """Those of one service."""
        return [each for each in self.containers() if service_of(each) == service]

    def python(self, service: str, program: str) -> subprocess.CompletedProcess[str]:
        """A program run inside a service, with what the service has."""
        return self.run("docker", "compose", "exec", "-T", service, "python", "-c", program, check=False)

    def smoke(self) -> str:
        """`ama smoke`; what it said."""
        return self.compose("run", "--rm", "--no-deps", "smoke")

    def base(self, port: int = 8000) -> str:
        """Where the door is, seen from this machine."""
        return self.compose("port", "caddy", str(port)).strip()

    def call(self, role: str, method: str, path: str, body: Any = None, **who: str) -> httpx.Response:
        """A request through the door, as somebody of the programme of Monza."""
        words = [word for name, value in who.items() for word in (f"--{name}", value)]
        token = self.compose(
            "exec", "-T", "issuer", "ama", "token", "--role", role, "--programme", "monza-brianza", *words
        ).strip()
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(
            method, f"http://{self.base()}{path}", json=body, headers=headers, timeout=30, trust_env=False
        )

    def until(self, what: str, check: Callable[[], Any]) -> Any:
        """Wait for it."""
        deadline, last = time.monotonic() + PATIENCE, None
        while time.monotonic() < deadline:
            if last := check():
                return last
            time.sleep(1.0)
        raise AssertionError(f"not within {PATIENCE:.0f} s: {what}; last seen {last!r}\n{self.compose('ps', '--all')}")

    def healthy(self) -> bool:
        """Whether everything that has a health check passes it, and what runs once has ended well."""
        return all(
            each["State"].get("Health", {}).get("Status") == "healthy"
            if service_of(each) != "provision"
            else (each["State"]["Status"], each["State"]["ExitCode"]) == ("exited", 0)
            for each in self.containers()
        )

    def remove(self) -> None:
        """Containers, volumes, networks, image, and files that are another user's."""
        self.compose(
            "--profile",
            "mail",
            "--profile",
            "smoke",
            "down",
            "--volumes",
            "--remove-orphans",
            "--timeout",
            "10",
            check=False,
        )
        self.run("docker", "image", "rm", "--force", f"ama-lavoro:{self.project}", check=False)


def service_of(container: dict[str, Any]) -> str:
    """Which service of the file it is."""
    return str(container["Config"]["Labels"]["com.docker.compose.service"])
