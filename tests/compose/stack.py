"""A copy of a new operator's files in a folder of its own, and the operator's commands in it.

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

from services.engines.ports import free_port
from tests.compose.docker_here import IMAGES

ROOT = Path(__file__).parents[2]
GIVEN = [
    "Dockerfile", ".dockerignore", "Makefile", "docker-compose.yml", "ops", "programmes", "pyproject.toml", "README.md", "LICENSE",
    "requirements.image.lock", "services", "enrolment", "grouping", "sessions", "notifications", "analytics",
]  # fmt: skip
PATIENCE = 240.0  # seconds
OURS = {"enrolment", "grouping", "sessions", "notifications", "analytics", "site", "provision"}
WORKS = "It works"  # last words of `ama smoke`


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
        self.port = free_port()
        ports = {"AMA_HTTPS": "127.0.0.1::443", "AMA_MAILPIT": "127.0.0.1::8025"}
        theirs = {name: value for name, value in os.environ.items() if name in IMAGES or not name.startswith("AMA_")}
        self.environment = theirs | mine | ports
        for name in GIVEN:
            source, copy = ROOT / name, folder / name
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)

    def address(self) -> None:
        """Give the deployment an address of its own, as `docs/operations.md` says: browsers are sent back to it."""
        lines = {
            "AMA_SITE": f"http://:{self.port}",
            "AMA_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "AMA_HTTP": f"127.0.0.1:{self.port}:{self.port}",
        }
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    def run(
        self, *command: str, check: bool = True, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in that folder. A failure shows its output."""
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
        """Run `docker compose …`. Gives its output."""
        return self.run("docker", "compose", *words, check=check, environment=more).stdout

    def containers(self) -> list[dict[str, Any]]:
        """Documents of `docker inspect` for each container, ended ones too."""
        ids = self.compose("ps", "--all", "--quiet").split()
        found: list[dict[str, Any]] = json.loads(self.run("docker", "inspect", *ids).stdout)
        return found

    def of(self, service: str) -> list[dict[str, Any]]:
        """Documents of one service's containers."""
        return [each for each in self.containers() if service_of(each) == service]

    def python(self, service: str, program: str) -> subprocess.CompletedProcess[str]:
        """Run a Python program inside a service's container."""
        return self.run("docker", "compose", "exec", "-T", service, "python", "-c", program, check=False)

    def smoke(self) -> str:
        """Run `ama smoke`. Gives its output."""
        return self.compose("run", "--rm", "--no-deps", "smoke")

    def base(self, port: int | None = None) -> str:
        """Address of the front door, as this machine reaches it."""
        return self.compose("port", "caddy", str(port or self.port)).strip()

    def call(self, role: str, method: str, path: str, body: Any = None, **who: str) -> httpx.Response:
        """Send a request through the front door, in a role of the programme of Monza."""
        words = [word for name, value in who.items() for word in (f"--{name}", value)]
        token = self.compose(
            "exec", "-T", "site", "ama", "token", "--role", role, "--programme", "monza-brianza", *words
        ).strip()
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(
            method, f"http://{self.base()}{path}", json=body, headers=headers, timeout=30, trust_env=False
        )

    def until(self, what: str, check: Callable[[], Any]) -> Any:
        """Wait until `check` gives something true, and return that."""
        deadline, last = time.monotonic() + PATIENCE, None
        while time.monotonic() < deadline:
            if last := check():
                return last
            time.sleep(1.0)
        raise AssertionError(f"not within {PATIENCE:.0f} s: {what}; last seen {last!r}\n{self.compose('ps', '--all')}")

    def healthy(self) -> bool:
        """Tell if every health check passes and provisioning ended with status 0."""
        return all(
            each["State"].get("Health", {}).get("Status") == "healthy"
            if service_of(each) != "provision"
            else (each["State"]["Status"], each["State"]["ExitCode"]) == ("exited", 0)
            for each in self.containers()
        )

    def remove(self) -> None:
        """Remove containers, volumes, networks and the image."""
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
    """Name of the container's service in the compose file."""
    return str(container["Config"]["Labels"]["com.docker.compose.service"])
