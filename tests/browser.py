"""A headless Chromium, driven by W3C WebDriver: chromedriver speaks plain HTTP."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import httpx
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1280,1600",
)
STARTED = re.compile(r"started successfully on port (\d+)")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of a reference to an element (W3C WebDriver, section 12)."""
PATIENCE_SECONDS = 15
PAUSE_SECONDS = 0.02

Found = TypeVar("Found")


@dataclass(frozen=True)
class Browser:
    """One window; an element is named by its CSS selector, and waited for."""

    session: httpx.Client

    def open(self, url: str) -> None:
        self._post("url", url=url)

    def click(self, selector: str) -> None:
        element = self._element(selector)
        self._wait(lambda: self._post(f"element/{element}/click") or True)

    def type(self, selector: str, text: str) -> None:
        self._post(f"element/{self._element(selector)}/value", text=text)

    def text(self, selector: str) -> str:
        return str(self.run("return arguments[0].textContent", selector))

    def run(self, script: str, selector: str) -> Any:
        """Return what the script returns, with the element as ``arguments[0]``."""
        element = {ELEMENT: self._element(selector)}
        return self._post("execute/sync", script=script, args=[element])

    def requests(self, page: str) -> list[str]:
        """Return the address of everything that this page has asked for since the last call."""
        entries = self._post("se/log", type="performance")
        events = [json.loads(entry["message"])["message"] for entry in entries]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
            and event["params"]["documentURL"].startswith(page)
        ]

    def complaints(self) -> list[str]:
        """Return what was written to the console since the last call."""
        return [entry["message"] for entry in self._post("se/log", type="browser")]

    def _element(self, selector: str) -> str:
        query = {"using": "css selector", "value": selector}
        return str(self._wait(lambda: self._post("element", **query)[ELEMENT]))

    def _post(self, command: str, **body: Any) -> Any:
        response = self.session.post(command, json=body)
        value = response.json()["value"]
        if response.is_error:
            raise LookupError(value["message"])
        return value

    def _wait(self, attempt: Callable[[], Found]) -> Found:
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return attempt()
            except LookupError:
                if monotonic() > deadline:
                    raise
                sleep(PAUSE_SECONDS)


@contextmanager
def chromium(profile: Path) -> Generator[Browser]:
    """Lend a browser with a profile of its own; skip the test where there is none."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("There is no Chromium here (Debian: apt install chromium-driver).")
    options = {
        "binary": CHROMIUM,
        "args": [*ARGUMENTS, f"--user-data-dir={profile}"],
    }
    wanted = {
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }
    with _driver(DRIVER) as driver, httpx.Client(base_url=driver, timeout=60) as client:
        body = {"capabilities": {"alwaysMatch": wanted}}
        value = client.post("/session", json=body).raise_for_status().json()["value"]
        path = f"/session/{value['sessionId']}"
        with httpx.Client(base_url=f"{driver}{path}", timeout=60) as session:
            try:
                yield Browser(session)
            finally:
                client.delete(path)


@contextmanager
def _driver(program: str) -> Generator[str]:
    """Run chromedriver on a free port and return its address."""
    command = [program, "--port=0"]  # Nothing of it comes from outside.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            ports = (found[1] for line in lines if (found := STARTED.search(line)))
            yield f"http://127.0.0.1:{next(ports)}"
        finally:
            process.terminate()
