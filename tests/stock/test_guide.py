"""Every example of docs/erp.md does what the page says."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import httpx
import pytest
from standardwebhooks import Webhook

from tests.fakes.erp import new_secret
from tests.people import SERVICE_TOKEN, Person
from tests.stock.shelves import Shop, open_shop, stocks
from tests.test_docs_page import served
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.embedded.processes import free_ports
from vek1_api.main import create_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PAGE = Path(__file__).parents[2] / "docs" / "erp.md"
BLOCK = re.compile(r"(<!-- receiver -->\n)?```(sh|python|js)\n(.*?)```", re.DOTALL)
PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Example:
    language: str
    text: str
    is_receiver: bool

    def command(self, node: Path | None) -> list[str]:
        """Return how it is run; skip the test where its program is not there."""
        if self.language == "python":
            return [sys.executable, "-W", "ignore", "-c", self.text]
        if self.language == "js":
            assert node is not None
            return ["node", "-e", self.text]
        if not all(map(shutil.which, ("bash", "curl", "openssl", "base64", "od"))):
            pytest.skip("a shell, curl or openssl is missing here")
        return ["bash", "-euo", "pipefail", "-c", self.text]


EXAMPLES = [
    Example(language, text, bool(mark))
    for mark, language, text in BLOCK.findall(PAGE.read_text())
]
CALLS = [each for each in EXAMPLES if not each.is_receiver]
RECEIVERS = [each for each in EXAMPLES if each.is_receiver]


@pytest.fixture
async def bakery(ana: Person, db: Driver) -> Shop:
    return await open_shop(ana, db, {"CAF-500G": 9, "CAF-1KG": 4})


def test_the_page_has_an_example_of_each_kind() -> None:
    assert [each.language for each in CALLS] == [
        *("sh", "sh", "python", "js", "python", "python", "sh", "python")
    ]
    assert [each.language for each in RECEIVERS] == ["python", "js"]


async def test_the_calls_of_the_page_work_one_after_the_other(
    bakery: Shop, resources: Resources, db: Driver, node: Path, tmp_path: Path
) -> None:
    levels = []
    with served(create_app(resources.settings)) as api:
        environment = _environment(
            tmp_path,
            API=api,
            STORE=bakery.store_id,
            SECRET=bakery.secret,
            TOKEN=SERVICE_TOKEN,
            USER_ID=bakery.owner.user_id,
            NODE_PATH=str(node / "node_modules"),
        )
        for example in CALLS:
            done = await asyncio.to_thread(
                subprocess.run,
                example.command(node),
                cwd=tmp_path,
                env=environment,
                check=False,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
            )
            assert done.returncode == 0, f"{example.text}\n{done.stdout}\n{done.stderr}"
            levels.append((await stocks(db, bakery))["CAF-500G"])

    assert levels == [12, 11, 10, 9, 30, 30, 29, 29]
    assert (await stocks(db, bakery))["CAF-1KG"] == 3
    assert "CAF-500G" in (tmp_path / "reconciliation.csv").read_text("utf-8-sig")
    assert "updated_since" in json.loads((tmp_path / "place.json").read_text())


@pytest.mark.parametrize("example", RECEIVERS, ids=lambda each: each.language)
def test_the_receivers_of_the_page_believe_us_only_and_forget_what_is_old(
    example: Example, node: Path, tmp_path: Path
) -> None:
    secret = new_secret()
    [port] = free_ports(1)
    environment = _environment(
        tmp_path,
        OUTBOUND_SECRET=secret,
        PORT=str(port),
        NODE_PATH=str(node / "node_modules"),
    )

    with _running(example.command(node), environment, tmp_path, port) as said:
        answers = [
            _send(port, by, stock=stock, sequence=sequence)
            for by, stock, sequence in (
                (secret, 11, 42),
                (new_secret(), 99, 43),
                (secret, 12, 41),
                (secret, 10, 43),
            )
        ]

    assert answers == [204, 401, 204, 204]
    assert said() == "CAF-500G is 11\nCAF-500G is 10\n"


def _environment(home: Path, **values: str) -> dict[str, str]:
    path = "/usr/local/bin:/usr/bin:/bin"
    node = shutil.which("node")
    return {
        "PATH": f"{Path(node).parent}:{path}" if node else path,
        "HOME": str(home),
        **values,
    }


def _send(port: int, secret: str, *, stock: int, sequence: int) -> int:
    data = {
        "product_id": "p-1",
        "product_integration_id": "CAF-500G",
        "stock": stock,
        "sequence": sequence,
    }
    body = json.dumps({"type": "stock.decremented", "data": data})
    message_id, at = f"msg_{uuid4().hex}", datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body),
    }
    url = f"http://127.0.0.1:{port}/"
    return httpx.post(url, content=body, headers=headers, trust_env=False).status_code


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], folder: Path, port: int
) -> Generator[Callable[[], str]]:
    """Run a receiver until the block ends; lend what it has printed by then."""
    log = folder / "receiver.log"
    with (
        log.open("w") as out,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=subprocess.DEVNULL
        ) as process,
    ):
        try:
            deadline = monotonic() + PATIENCE_SECONDS
            while not _listens(port):
                assert process.poll() is None, "The receiver has ended."
                assert monotonic() < deadline, "The receiver does not listen."
                sleep(0.02)
            yield log.read_text
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _listens(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
    except httpx.TransportError:
        return False
    return True
