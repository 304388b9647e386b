"""Importing a module does nothing: no connection, no file written, no process, no broker or client made."""

import importlib.util
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]

IMPORTS_WATCHED = """
import importlib, os, socket, sys, tempfile

sys.dont_write_bytecode = True
ours, doing = set(sys.argv[2].split(",")), []

def watch(event, arguments):
    if not doing:
        return
    # os.open gives flags and no mode
    writes = event == "open" and (set(arguments[1] or "") & set("wax+") or arguments[2] & (os.O_WRONLY | os.O_RDWR))
    makes = event in {
        "socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.fork", "os.mkdir",
        "os.remove", "os.rename", "os.system", "os.posix_spawn", "_thread.start_new_thread",
    }
    if not (writes or makes):
        return
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.split(".")[0] in ours:
            print(f"{name}:{frame.f_lineno} does {event} when it is imported: {arguments!r}")
            return
        # what a library does while it is itself imported is its own affair
        if frame.f_code.co_name == "<module>":
            return
        frame = frame.f_back

sys.addaudithook(watch)
for module in sys.argv[1].split(","):
    doing.append(module)
    importlib.import_module(module)
    doing.pop()

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from fastapi import FastAPI
from faststream.kafka import KafkaBroker
from httpx import AsyncClient, Client
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

MADE = (AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient, KafkaBroker, AsyncClient, Client, AsyncIOMotorClient,
        AsyncMongoClient, MongoClient, FastAPI, socket.socket)
for name, module in sorted(sys.modules.items()):
    if name.split(".")[0] in ours:
        for variable, value in vars(module).items():
            held = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple, set)) else (value,)
            if any(isinstance(one, MADE) for one in held):
                print(f"{name}.{variable} is a {type(value).__name__} that lives as long as the module")
"""


def modules() -> list[str]:
    """Every module of ours, except the scripts that run when they are imported."""
    found = [*PACKAGES]
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations is not None, f"{package} is no package"
        walked = pkgutil.walk_packages(spec.submodule_search_locations, f"{package}.")
        found += [module.name for module in walked if not module.name.endswith("__main__")]
    return found


def watched(names: list[str], ours: list[str], path: Path) -> str:
    """Forbidden acts of importing these modules, with nothing else imported before."""
    command = [sys.executable, "-c", IMPORTS_WATCHED, ",".join(names), ",".join(ours)]
    done = subprocess.run(command, cwd=path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_every_module_does_no_io_and_makes_no_broker_or_client() -> None:
    assert watched(modules(), PACKAGES, ROOT) == ""


def test_a_module_that_does_io_or_keeps_a_client_is_seen(tmp_path: Path) -> None:
    faults = {
        "writes": "open('left-behind', 'w').close()",
        "creates": "import os\nos.close(os.open('left-behind', os.O_CREAT | os.O_WRONLY))",
        "binds": "import socket\nsocket.create_server(('127.0.0.1', 0)).close()",
        "starts": "import subprocess\nsubprocess.run(['true'])",
        "keeps": "from motor.motor_asyncio import AsyncIOMotorClient\nclient = AsyncIOMotorClient(connect=False)",
        "keeps_many": "import httpx\nclients = {'one': httpx.Client()}",
        "serves": "from fastapi import FastAPI\napp = FastAPI()",
    }
    for name, body in faults.items():
        (tmp_path / f"{name}.py").write_text(body)
        assert watched([name], [name], tmp_path).startswith(name), name
