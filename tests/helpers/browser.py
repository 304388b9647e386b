"""The Chromium that pages are looked at with: the one that AMA_CHROMIUM names, else the machine's, else playwright's own.

`python -m tests.helpers.browser` brings one where there is none; `make tools` does so.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright
from playwright.async_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "Tests of pages need Chromium, and none can be started here: `python -m tests.helpers.browser` brings one, as "
    "root or with access to playwright's downloads; or AMA_CHROMIUM names one."
)


def executable() -> str | None:
    """The machine's; None where playwright is to look for its own."""
    return os.environ.get("AMA_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a window. AssertionError, one sentence, where none can be started."""
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        except PlaywrightError as error:
            raise AssertionError(f"{MISSING} ({str(error).splitlines()[0]})") from error
        try:
            yield browser
        finally:
            await browser.close()


def bring() -> None:
    """Debian's package where this process may install one, else playwright's own download. Says so when neither could be had."""
    if os.geteuid() == 0 and shutil.which("apt-get") and not (executable() and _driver_starts()):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update"], ["install", "-y", "--no-install-recommends", "chromium", "libatomic1"]):
            subprocess.run(["apt-get", *step], env=environment, check=False)
    if executable() is None and not _own():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if executable() is None and not _own():
        sys.exit(MISSING)


def _driver_starts() -> bool:
    """Playwright brings a Node that wants libatomic, which a slim system lacks."""
    return (
        subprocess.run([sys.executable, "-m", "playwright", "--version"], check=False, capture_output=True).returncode
        == 0
    )


def _own() -> bool:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


if __name__ == "__main__":
    bring()
