"""Promises of the compose file and the Dockerfile, read without a Docker engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.contracts.topics import SERVICES
from services.operations.provision.passwords import make
from services.operations.provision.rights import user_of
from services.runtime.connections import Limits
from services.web.frame.addresses import FRONT, SEGMENTS

ROOT = Path(__file__).parents[2]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
EVERY: dict[str, dict[str, Any]] = FILE["services"]
PAGE = (ROOT / "docs" / "operations.md").read_text()
ONCE = {"provision", "smoke", "backup"}
DOOR = {"caddy", "mailpit"}  # who may have ports outside


def secrets_of(name: str) -> set[str]:
    return {each if isinstance(each, str) else each["source"] for each in EVERY[name].get("secrets", [])}


@pytest.mark.parametrize("name", EVERY)
def test_whatever_runs_is_limited_watched_and_rotated(name: str) -> None:
    one = EVERY[name]
    assert one["mem_limit"] == one["memswap_limit"]
    assert one["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    # Provisioning meets engines that are not up yet when everything is restarted at once.
    assert one["restart"] == {"provision": "on-failure:10"}.get(name, "no" if name in ONCE else "unless-stopped")
    assert ("healthcheck" in one) is (name not in ONCE)
    for needed, how in one.get("depends_on", {}).items():
        assert how["condition"] == ("service_completed_successfully" if needed == "provision" else "service_healthy")


WATCH: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "ops" / "prometheus" / "compose.yml").read_text())["services"]
CAPABLE = {"mongo": {"CHOWN", "DAC_OVERRIDE", "KILL", "SETGID", "SETUID"}, "caddy": {"NET_BIND_SERVICE"}}


@pytest.mark.parametrize("name", [*EVERY, *WATCH])
def test_whatever_runs_changes_its_own_data_alone_and_has_no_right_that_it_does_not_need(name: str) -> None:
    one = {**EVERY, **WATCH}[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert set(one.get("cap_add", [])) == CAPABLE.get(name, set())
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "devices", "pid", "ipc", "userns_mode"} & one.keys()
    mounts = [each if isinstance(each, str) else each["source"] for each in one.get("volumes", [])]
    assert not [each for each in mounts if "docker.sock" in each]


def test_every_image_has_an_exact_version() -> None:
    images = {one["image"] for one in [*EVERY.values(), *WATCH.values()]} - {"ama-lavoro:${AMA_VERSION:-local}"}
    asked = [re.sub(r"^\$\{AMA_[A-Z]+_IMAGE:-(.*)\}$", r"\1", image) for image in images]
    base = re.findall(r"^ARG PYTHON=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for image in [*asked, *base]:
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+(-[a-z-]+)?", image), image
    assert EVERY["provision"]["build"]["args"] == {"PYTHON": "${AMA_PYTHON_IMAGE:-" + base[0] + "}"}


def test_ports_are_the_doors_alone_and_on_this_machine_unless_said_otherwise() -> None:
    ports = {name: one["ports"] for name, one in EVERY.items() if "ports" in one}
    assert ports.keys() == DOOR
    assert all(
        re.fullmatch(r"\$\{AMA_[A-Z]+:-127\.0\.0\.1:\d+:\d+\}", port) for each in ports.values() for port in each
    )


def test_engines_have_no_way_out_and_the_door_has_none_to_them() -> None:
    assert FILE["networks"]["back"] == {"internal": "${AMA_ENGINES_INSIDE:-true}"}
    assert {name for name, one in EVERY.items() if "back" in one.get("networks", [])} == {
        "kafka",
        "mongo",
        "provision",
        "backup",
        "site",
        *SERVICES,
    }
    assert not {"kafka", "mongo", "provision", "backup"} & {
        name for name, one in EVERY.items() if "front" in one.get("networks", [])
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_signs_in_as_itself_and_is_given_its_own_secrets_alone(service: str) -> None:
    environment = EVERY[service]["environment"]
    assert environment["AMA_SASL_USERNAME"] == environment["AMA_MONGO_USERNAME"] == user_of(service, "ama")
    held = secrets_of(service)
    assert {f"kafka-{service}", f"mongo-{service}"} <= held
    strange = {each for each in held for other in (*SERVICES, "admin") if other != service and other in each}
    assert not strange
    assert ("master.jwks" in held) is (service == "enrolment")
    assert ("lookups.jwk" in held) is (service == "enrolment")
    assert ("pseudonyms.jwk" in held) is (service == "notifications")


def test_a_backup_is_taken_by_the_administrator_and_key_files_are_seen_and_not_written() -> None:
    one, administrator = EVERY["backup"], EVERY["provision"]["environment"]
    for name in ("AMA_SASL_USERNAME", "AMA_SASL_MECHANISM", "AMA_MONGO_USERNAME", "AMA_MONGO", "AMA_KAFKA"):
        assert one["environment"][name] == administrator[name]
    assert secrets_of("backup") == {"kafka-admin", "mongo-admin"}
    mounted = {each["target"]: each for each in one["volumes"] if isinstance(each, dict)}
    assert mounted[one["environment"]["AMA_KEYS"]]["read_only"]
    assert mounted[one["working_dir"]]["source"] == "./backups"
    assert not any(each["bind"]["create_host_path"] for each in mounted.values()), "an empty folder of keys is none"


def test_every_secret_is_made_by_the_command_and_none_is_missing(tmp_path: Path) -> None:
    make(tmp_path)
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    named = {each["file"].removeprefix("${AMA_SECRETS_FOLDER:-./secrets}/") for each in FILE["secrets"].values()}
    # Enrolment opens with the master key, and no service has the key of backups: the container of backups sees the folder.
    assert made - named == {"keys/enrolment.jwk", "keys/backup.agekey"}
    assert named <= made
    assert set().union(*(secrets_of(name) for name in EVERY)) == FILE["secrets"].keys()


def test_nothing_in_the_file_is_a_password() -> None:
    text = (ROOT / "docker-compose.yml").read_text() + (ROOT / "Dockerfile").read_text()
    assert not re.search(r"(?i)passw(or)?d\s*[:=]\s*['\"]?[a-z0-9]", text)


def test_what_is_built_is_the_same_everywhere() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "RUN --mount" not in text
    assert "--require-hashes" in text
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${PYTHON}"}
    assert re.search(r"^USER 1000:1000$", text, re.MULTILINE)
    assert {one["image"] for one in EVERY.values()} == {
        "ama-lavoro:${AMA_VERSION:-local}",
        "${AMA_KAFKA_IMAGE:-apache/kafka:4.3.1}",
        "${AMA_MONGO_IMAGE:-mongo:8.0.13}",
        "${AMA_CADDY_IMAGE:-caddy:2.10.2}",
        "${AMA_MAILPIT_IMAGE:-axllent/mailpit:v1.27.8}",
    }


def test_the_front_bounds_the_times_of_its_clients() -> None:
    caddyfile, seconds = (ROOT / "ops" / "caddy" / "Caddyfile").read_text(), {"s": 1, "m": 60}
    found = re.findall(r"^\t+(read_header|read_body|write|idle) (\d+)([sm])$", caddyfile, re.MULTILINE)
    times, limits = {name: int(number) * seconds[unit] for name, number, unit in found}, Limits()
    assert (times["read_header"], times["read_body"]) == (limits.headers_within, limits.body_within)
    assert times["idle"] < limits.idle
    assert times["write"] <= 600


def test_every_service_is_in_every_list() -> None:
    packed = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{service}" for service in SERVICES} <= set(packed)
    assert EVERY["caddy"]["depends_on"].keys() == {*SERVICES, "site"}
    assert secrets_of("provision") >= {f"kafka-{service}" for service in SERVICES}
    assert secrets_of("provision") >= {f"mongo-{user}" for user in (*SERVICES, "site")}


def test_caddy_sends_each_address_to_whom_the_table_of_addresses_names() -> None:
    caddyfile = (ROOT / "ops" / "caddy" / "Caddyfile").read_text()
    [table] = re.findall(r"map \{http\.request\.uri\.path\.0\} \{owner\} \{\n(.*?)\n\t\}", caddyfile, re.DOTALL)
    lines = dict(line.split() for line in table.splitlines())
    assert lines.pop("default") == "nobody"
    wanted = {segment: "site" if owner == FRONT else owner for segment, owner in SEGMENTS.items() if segment}
    assert lines == {**{service: service for service in SERVICES}, **wanted}
    assert '@site `{owner} == "site" || path("/")`' in caddyfile


def test_what_is_for_the_inner_network_is_closed_at_the_door() -> None:
    caddyfile = (ROOT / "ops" / "caddy" / "Caddyfile").read_text()
    [closed] = re.findall(r"@closed path (.*)", caddyfile)
    assert closed.split() == ["*/healthz", "*/readyz", "*/ops", "*/ops/*", "/enrolment/links/*"]
    assert caddyfile.index("handle @closed") < caddyfile.index("handle @site") < caddyfile.index("handle @service")
    assert "forward-auth" not in re.findall(r"map .*?\n\t\}", caddyfile, re.DOTALL)[0], (
        "nobody outside asks for a token"
    )


def test_the_site_holds_the_issuers_key_and_its_own_database_alone() -> None:
    assert secrets_of("site") == {"mongo-site", "issuer.jwk"}
    assert EVERY["site"]["environment"]["AMA_MONGO_USERNAME"] == user_of("site", "ama")
    assert {name for name in EVERY if "issuer.jwk" in secrets_of(name)} == {"site", "smoke"}
    assert {name for name in EVERY if "first-account" in secrets_of(name)} == {"provision"}


def test_every_image_that_is_not_ours_can_come_from_elsewhere_and_the_page_says_by_which_name() -> None:
    watch = yaml.safe_load((ROOT / "ops" / "prometheus" / "compose.yml").read_text())["services"]
    images = {one["image"] for one in [*EVERY.values(), *watch.values()]} - {"ama-lavoro:${AMA_VERSION:-local}"}
    images.add(EVERY["provision"]["build"]["args"]["PYTHON"])
    names = {re.match(r"\$\{(AMA_[A-Z]+_IMAGE):-", image) for image in images}
    row = next(line for line in PAGE.splitlines() if line.startswith("| images from a registry of your own |"))
    assert all(name and name[1] in row for name in names), (images, row)


def test_what_is_stopped_is_whatever_a_profile_had_started_too() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\ndown:")[2].splitlines()[1]
    assert recipe.split() == ["docker", "compose", "--profile", '"*"', "down"]
