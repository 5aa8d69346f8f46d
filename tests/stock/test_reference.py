"""The npm package `standardwebhooks` agrees with us on what a good signature is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.fakes.erp import new_secret
from tests.stock.node import run_node
from vek1_api.stock.signatures import is_proven

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SIGN = """
const { Webhook } = require("standardwebhooks");
const { secret, id, body } = JSON.parse(process.argv[1]);
const at = new Date();
console.log(JSON.stringify({
  "webhook-id": id,
  "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
  "webhook-signature": new Webhook(secret).sign(id, at, body),
}));
"""
VERIFY = """
const { Webhook } = require("standardwebhooks");
const { secret, headers, body } = JSON.parse(process.argv[1]);
try { new Webhook(secret).verify(body, headers); console.log("true"); }
catch (error) { console.log("false"); }
"""
BODIES = ['{"items": []}', "", '{"nome": "Café \\u2028 ção 😀", "n": 1e3}']


@pytest.mark.parametrize("body", BODIES)
def test_what_node_signs_we_believe_and_nothing_else(body: str, node: Path) -> None:
    secret = new_secret()

    headers = run_node(node, SIGN, {"secret": secret, "id": "msg_1", "body": body})

    assert is_proven(headers, body.encode(), [secret])
    assert not is_proven(headers, body.encode() + b" ", [secret])
    assert not is_proven(headers, body.encode(), [new_secret()])


@pytest.mark.parametrize("body", BODIES[:1] + BODIES[2:])
def test_what_python_signs_node_believes(body: str, node: Path) -> None:
    secret, at = new_secret(), datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body),
    }

    for tried, is_good in ((secret, True), (new_secret(), False)):
        what: dict[str, Any] = {"secret": tried, "headers": headers, "body": body}
        assert run_node(node, VERIFY, what) is is_good
