"""Logs: one JSON object a line, a constant event name with fields, no secrets, no people.

Every line of a request or job carries its id. Values whose names say that they are secret or
personal are replaced before a line is written, whoever logs them.
"""

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from typing import Any

import orjson
import structlog

from vek1_api.core import clock, context

_SENSITIVE = re.compile(
    r"token|secret|password|authorization|cookie|api_?key|signature|phone|e_?mail|tax_?id|cpf|"
    r"cnpj|content|message_text|address",
    re.IGNORECASE,
)
LEVELS = logging.getLevelNamesMapping()
_REDACTED = "[redacted]"
_IN_URL = re.compile(r"(?i)\b(webhookSecret|token|secret|apikey)=[^&\s\"]+")
_CREDENTIALS = re.compile(r"://[^/@\s:]+:[^/@\s]+@")


class RequestLines:
    """The line of each request, written past structlog: its chain costs what a query costs.

    Its fields are ours and constant, so there is nothing in them to redact.
    """

    def __init__(self) -> None:
        self.write: Callable[[str], object] | None = None
        """Takes a line; none as long as nothing is configured, or below its level."""

    def served(self, method: str, route: str, status: int, milliseconds: float) -> None:
        """Write that a request was answered."""
        if self.write is not None:
            line = {
                "method": method,
                "route": route,
                "status": status,
                "milliseconds": milliseconds,
                "event": "request",
                "request_id": context.request_id.get(),
                "level": "info",
                "timestamp": clock.now(),
            }
            self.write(_dumps(line))


REQUESTS = RequestLines()


def configure(level: str = "INFO") -> None:
    """Make this process log as above."""
    renderer: Any = structlog.processors.JSONRenderer(_dumps)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _with_request_id,
        structlog.processors.add_log_level,
        _with_time,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, redact, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    is_info = LEVELS[level.upper()] <= logging.INFO
    REQUESTS.write = structlog.WriteLogger(sys.stderr).msg if is_info else None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                renderer,
            ],
        )
    )
    logging.basicConfig(
        handlers=[handler], level=max(logging.INFO, LEVELS[level.upper()]), force=True
    )
    # The last is SQLAlchemy's for the pool that is a class of ours.
    for chatty in ("uvicorn.access", "httpx", "pgqueuer", "vek1_api.core.db"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def redact(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace what must not be in a log."""
    for name, value in event.items():
        if name != "event" and _is_sensitive(name):
            event[name] = _REDACTED
        elif isinstance(value, str):
            event[name] = clean(value)
    return event


def clean(text: str) -> str:
    """Return a text without the secrets that addresses carry."""
    # Almost every text of a log line has neither sign, and looking is cheaper than matching.
    if "=" in text:
        text = _IN_URL.sub(rf"\1={_REDACTED}", text)
    if "://" in text:
        text = _CREDENTIALS.sub(f"://{_REDACTED}@", text)
    return text


@lru_cache(maxsize=1024)
def _is_sensitive(name: str) -> bool:
    return _SENSITIVE.search(name) is not None


def _with_request_id(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    request_id = context.request_id.get()
    if request_id is not None:
        event["request_id"] = request_id
    return event


def _with_time(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    # As a value, which orjson writes at a fraction of what structlog's own text costs.
    event["timestamp"] = clock.now()
    return event


def _dumps(value: Any, **_options: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z).decode()
