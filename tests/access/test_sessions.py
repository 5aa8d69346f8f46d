"""Better Auth's sessions, as a token and as a signed cookie."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from tests.access.refusals import is_refused, list_stores
from tests.access.sessions import sign_in, signed
from tests.people import Person
from vek1_api.access.credentials import COOKIES
from vek1_api.core.db import Driver


async def test_session_token_lets_its_user_in(ana: Person, db: Driver) -> None:
    await ana.open_store("Centro")
    token = await sign_in(db, ana.user_id)

    response = await list_stores(ana.http, {"Authorization": f"Bearer {token}"})

    assert [item["name"] for item in response.json()["items"]] == ["Centro"]


async def test_what_a_session_changes_is_audited_as_its_user(
    ana: Person, db: Driver
) -> None:
    token = await sign_in(db, ana.user_id)

    response = await ana.http.post(
        "/v1/stores",
        headers={"Authorization": f"Bearer {token}", "User-Agent": "Firefox"},
        json={"name": "Loja"},
    )

    assert response.status_code == 201
    entry = (await ana.audit(action="store.created"))[0]
    assert entry["actor_user_id"] == ana.user_id
    assert entry["ua"] == "Firefox"
    assert entry["ip"] == "127.0.0.1"


@pytest.mark.parametrize("name", COOKIES)
async def test_signed_cookie_lets_its_user_in(name: str, ana: Person, db: Driver) -> None:
    token = await sign_in(db, ana.user_id)

    response = await ana.http.get(
        "/v1/company", headers={"Cookie": f"theme=dark; {name}={signed(token)}"}
    )

    assert response.status_code == 200
    assert response.json()["id"] == ana.user_id


async def test_cookie_of_which_the_client_undid_the_url_encoding_lets_in(
    ana: Person, db: Driver
) -> None:
    token = await sign_in(db, ana.user_id)
    plain = httpx.URL(f"http://x/?v={signed(token)}").params["v"]

    response = await ana.http.get(
        "/v1/company", headers={"Cookie": f"{COOKIES[1]}={plain}"}
    )

    assert response.status_code == 200


async def test_stale_secure_cookie_does_not_hide_a_valid_plain_one(
    ana: Person, db: Driver
) -> None:
    token = await sign_in(db, ana.user_id)
    cookie = f"{COOKIES[0]}=old.value; {COOKIES[1]}={signed(token)}"

    response = await ana.http.get("/v1/company", headers={"Cookie": cookie})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "spoil", ["unsigned", "other secret", "other token", "cut", "junk"]
)
async def test_cookie_with_a_wrong_signature_is_refused(
    spoil: str, ana: Person, db: Driver
) -> None:
    token, other = await sign_in(db, ana.user_id), await sign_in(db, ana.user_id)
    value = {
        "unsigned": token,
        "other secret": signed(token, "another-secret-of-32-characters-or-so"),
        "other token": signed(other).replace(other, token),
        "cut": signed(token)[:-6],
        "junk": f"{token}.%00%ff=",
    }[spoil]

    response = await ana.http.get(
        "/v1/company", headers={"Cookie": f"{COOKIES[1]}={value}"}
    )

    assert is_refused(response)


async def test_expired_session_is_refused_as_token_and_as_cookie(
    ana: Person, db: Driver
) -> None:
    token = await sign_in(db, ana.user_id, lasts=timedelta(seconds=-1))

    for headers in (
        {"Authorization": f"Bearer {token}"},
        {"Cookie": f"{COOKIES[1]}={signed(token)}"},
    ):
        assert is_refused(await list_stores(ana.http, headers))


async def test_session_ends_when_the_front_end_deletes_it(ana: Person, db: Driver) -> None:
    token = await sign_in(db, ana.user_id)
    await db.execute("DELETE FROM session WHERE token = $1", token)

    assert is_refused(await list_stores(ana.http, {"Authorization": f"Bearer {token}"}))


async def test_session_acts_for_its_own_user_only(
    ana: Person, bruno: Person, db: Driver
) -> None:
    headers = {"Authorization": f"Bearer {await sign_in(db, ana.user_id)}"}

    own = await list_stores(ana.http, headers | {"X-Actor-User-Id": ana.user_id})
    others = await ana.http.post(
        "/v1/stores",
        headers=headers | {"X-Actor-User-Id": bruno.user_id},
        json={"name": "Loja"},
    )

    assert own.status_code == 200
    assert others.status_code == 403
    assert others.json()["code"] == "forbidden"
    assert (await ana.get("/v1/stores"))["items"] == []
    assert (await bruno.get("/v1/stores"))["items"] == []


async def test_session_does_not_open_what_is_the_front_ends_own(
    ana: Person, db: Driver
) -> None:
    headers = {"Authorization": f"Bearer {await sign_in(db, ana.user_id)}"}
    user_id = f"user-{uuid4().hex}"

    response = await ana.http.post(
        "/internal/company/ensure",
        headers=headers,
        json={"user_id": user_id, "name": "Loja"},
    )

    assert is_refused(response)
    assert (
        await Person(ana.http, user_id).request("GET", "/v1/company")
    ).status_code == 404
