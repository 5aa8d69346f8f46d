"""Who may call: service tokens, the ops token; and nobody else."""

from typing import Any
import re
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from tests.access.refusals import is_refused, list_stores
from tests.people import OPS_TOKEN, SERVICE_TOKEN, Person
from vek1_api.access.credentials import is_one_of

OPEN = {"/", "/health/live", "/health/ready", "/docs", "/openapi.json", "/ops/jobs"}
"""What anybody may call; ``/ops/jobs`` only leads to ``/ops/jobs/``, which is guarded."""


async def test_every_route_refuses_who_sends_no_credential(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    contexts = list(iter_route_contexts(app.routes))
    called = 0

    for context in contexts:
        path = str(context.path)
        if path in OPEN or path.startswith("/docs/"):
            continue
        for method in context.methods or ():
            url = re.sub(r":\w+}", "}", path).format_map(_AnyId())
            response = await http.request(method, url)
            assert response.status_code == 401, f"{method} {path}"
            called += 1

    assert called > 25


class _AnyId(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return str(uuid4())


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {SERVICE_TOKEN}x",
        f"Bearer {SERVICE_TOKEN[:-1]}",
        f"Bearer {SERVICE_TOKEN.upper()}",
        f"Bearer {SERVICE_TOKEN}, Bearer x",
        f"Basic {SERVICE_TOKEN}",
        SERVICE_TOKEN,
        f"Bearer {OPS_TOKEN}",
        "Bearer \xe1\xff",
        "Bearer ' or 1=1 --",
    ],
)
async def test_actor_without_a_service_token_is_never_believed(
    authorization: str, ana: Person
) -> None:
    headers = {"Authorization": authorization.encode("latin-1")}

    response = await ana.http.post(
        "/v1/stores",
        headers=headers | {"X-Actor-User-Id": ana.user_id},  # type: ignore[arg-type]  # Bytes.
        json={"name": "Loja"},
    )

    assert is_refused(response)
    assert (await ana.get("/v1/stores"))["items"] == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("token", [SERVICE_TOKEN, f"another-{SERVICE_TOKEN}"])
async def test_each_valid_service_token_lets_in(
    scheme: str, token: str, ana: Person
) -> None:
    headers = {"Authorization": f"{scheme} {token}", "X-Actor-User-Id": ana.user_id}

    assert (await list_stores(ana.http, headers)).status_code == 200


@pytest.mark.parametrize(
    "actor",
    [None, "", " ", "a b", "ana\tana", "joão", "a" * 256, "\x7f", "ana,bruno ana"],
)
async def test_service_token_must_say_for_whom_it_acts(
    actor: str | None, http: httpx.AsyncClient
) -> None:
    headers: dict[str, Any] = {"Authorization": f"Bearer {SERVICE_TOKEN}"}
    if actor is not None:
        headers["X-Actor-User-Id"] = actor.encode()

    assert is_refused(await list_stores(http, headers), "actor_required")


async def test_actor_without_a_company_sees_nothing(http: httpx.AsyncClient) -> None:
    stranger = Person(http, f"user'--{uuid4().hex}")

    assert (await stranger.request("GET", "/v1/company")).status_code == 404
    assert await stranger.get("/v1/stores") == {"items": [], "next_cursor": None}
    assert await stranger.audit() == []


async def test_front_ends_hooks_need_no_actor(http: httpx.AsyncClient) -> None:
    response = await http.post(
        "/internal/company/ensure",
        headers={"Authorization": f"Bearer {SERVICE_TOKEN}"},
        json={"user_id": f"user-{uuid4().hex}", "name": "Loja"},
    )

    assert response.status_code == 201


@pytest.mark.parametrize("token", [SERVICE_TOKEN, "x", ""])
async def test_operations_take_their_own_token_only(
    token: str, http: httpx.AsyncClient
) -> None:
    refused = await http.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    allowed = await http.get("/metrics", headers={"Authorization": f"Bearer {OPS_TOKEN}"})

    assert is_refused(refused)
    assert allowed.status_code == 200


@pytest.mark.parametrize(
    ("offered", "is_valid"),
    [
        ("um", True),
        ("dois", True),
        ("é", True),
        ("umdois", False),
        ("", False),
        ("u", False),
    ],
)
def test_secret_is_one_of_the_valid_ones_or_none(offered: str, *, is_valid: bool) -> None:
    secrets = [SecretStr(secret) for secret in ("um", "dois", "é")]

    assert is_one_of(offered, secrets) is is_valid
    assert not is_one_of(offered, [])


def test_every_valid_secret_is_compared_whichever_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bytes] = []

    def compare(offered: bytes, secret: bytes) -> bool:
        seen.append(secret)
        return offered == secret

    monkeypatch.setattr("hmac.compare_digest", compare)

    assert is_one_of("um", [SecretStr("um"), SecretStr("dois"), SecretStr("tres")])
    assert seen == [b"um", b"dois", b"tres"]
