"""Contents of a folder of key files."""

import re
from pathlib import Path

from tests.vault.conftest import SERVICES

OTHERS = {"services.jwks", "pseudonyms.jwk", "lookups.jwk", "backup.agekey"}
FILES = {"master.jwks", *OTHERS, *(f"{service}.jwk" for service in SERVICES)}
SECRET_PARTS = re.compile(r'"(?:k|d)": "([^"]+)"')


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def secrets_in(folder: Path) -> list[str]:
    return [found for text in content(folder).values() for found in SECRET_PARTS.findall(text.decode())]
