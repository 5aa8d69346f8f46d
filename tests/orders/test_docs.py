"""``docs/orders.md`` says what the code does, and its commands run."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from tests.orders.shop import Shop
from tests.people import SERVICE_TOKEN
from vek1_api.main import create_app
from vek1_api.orders import summary, transitions
from vek1_api.orders.status import OrderStatus
from vek1_api.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "orders.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_picture_is_drawn_from_the_table() -> None:
    [picture] = blocks("mermaid")
    first, start, *arrows, end = picture.splitlines()

    assert (first, start.strip()) == ("stateDiagram-v2", "[*] --> draft")
    assert end.strip() == "cancelled --> [*]"
    assert transitions.allowed_from(OrderStatus.CANCELLED) == []
    shown = [re.fullmatch(r" +(\w+) --> (\w+) : (\w+)", each) for each in arrows]
    assert {each.groups() for each in shown if each} == {
        (source.value, step.target.value, step.name)
        for step in transitions.STEPS
        for source in step.sources
    }
    assert None not in shown
    assert len(set(arrows)) == len(arrows)


def test_the_table_is_the_one_of_the_api() -> None:
    assert transitions.table() in PAGE


def test_the_openapi_document_has_the_table() -> None:
    document = create_app(Settings()).openapi()

    [about] = [tag["description"] for tag in document["tags"] if tag["name"] == "Orders"]
    assert transitions.table() in about


def test_the_longest_ranges_are_those_that_are_allowed() -> None:
    days, weeks, months = summary.MOST_DAYS.values()

    said = " ".join(PAGE.split())
    assert f"At most {days} days by day, {weeks} by week, {months} by month." in said


@pytest.mark.slow  # A dozen processes.
@pytest.mark.timeout(60)
async def test_every_command_runs(shop: Shop, port: int, tmp_path: Path) -> None:
    bash, curl = shutil.which("bash"), shutil.which("curl")
    if bash is None or curl is None:
        pytest.skip("There is no bash or no curl here.")
    product = await shop.add_product()
    order = await shop.order((product, 1))
    script = "\n".join(["set -euo pipefail", *blocks("sh")])
    for place, value in (
        ("http://127.0.0.1:8000", f"http://127.0.0.1:{port}"),
        ("<store id>", shop.store_id),
        ("<product id>", product["id"]),
        ("<order id>", order["id"]),
        ("<service token>", SERVICE_TOKEN),
        ("<user id>", shop.owner.user_id),
        ("curl ", "curl --silent --show-error --fail-with-body "),
    ):
        script = script.replace(place, value)

    process = await asyncio.create_subprocess_exec(
        bash,
        "-c",
        script,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()

    assert process.returncode == 0, out.decode()
    assert (tmp_path / "vendas.svg").read_bytes().startswith(b"<?xml")
    assert (tmp_path / "vendas.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    found = await shop.owner.get(f"/v1/orders/{order['id']}")
    assert found["status"] == "cancelled"
