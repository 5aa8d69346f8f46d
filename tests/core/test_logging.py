"""Lines of the log: JSON with the time and the request, without secrets."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import structlog

from vek1_api.core import clock, context


def _line(**fields: Any) -> dict[str, Any]:
    """Return what the log has of an event, as the process is configured."""
    event: Any = fields
    for processor in structlog.get_config()["processors"]:
        event = processor(None, "info", event)
    line: dict[str, Any] = orjson.loads(event)
    return line


def test_line_has_its_fields_the_time_and_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = datetime(2026, 11, 22, 12, 30, 0, 250_000, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: at)
    token = context.request_id.set("r-1")
    try:
        line = _line(event="request", status=200, milliseconds=1.5)
    finally:
        context.request_id.reset(token)

    assert line == {
        "event": "request",
        "status": 200,
        "milliseconds": 1.5,
        "request_id": "r-1",
        "level": "info",
        "timestamp": "2026-11-22T12:30:00.250000Z",
    }


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("ops_token", "abc", "[redacted]"),
        ("E_mail", "ana@exemplo.com.br", "[redacted]"),
        ("route", "/v1/agents/{agent_id}", "/v1/agents/{agent_id}"),
        ("url", "https://a.b/c?token=abc&d=1", "https://a.b/c?token=[redacted]&d=1"),
        ("url", "postgresql://ana:abc@db/vek1", "postgresql://[redacted]@db/vek1"),
        ("url", "http://a:b@c/?secret=d", "http://[redacted]@c/?secret=[redacted]"),
    ],
)
def test_secrets_are_not_in_a_line(name: str, value: str, shown: str) -> None:
    assert _line(event="sent", **{name: value})[name] == shown
