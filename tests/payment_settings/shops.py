"""A store whose payment settings are set over HTTP, and what the database then holds."""

from typing import Any

import httpx

from tests.people import Person
from vek1_api.core.db import Driver

DEV_KEY = "abc_dev_4kQ2mZ8vT1xW6yB3nR5cJ7pL"
SECRET = "um-segredo-que-o-lojista-escolheu-2026"
MANUAL = {
    "manual_pix_key": "111.444.777-35",
    "manual_pix_key_type": "cpf",
    "manual_pix_recipient": "Torrefação Serra Azul",
    "manual_pix_city": "Belo Horizonte",
}
GATEWAY = {"abacate_pay_api_key": DEV_KEY, "abacate_pay_dev_mode": True}


def path_of(store_id: str, more: str = "") -> str:
    return f"/v1/stores/{store_id}/payment-settings{more}"


async def put(person: Person, store_id: str, **settings: Any) -> Any:
    response = await person.request("PUT", path_of(store_id), json=settings)
    assert response.status_code == 200, response.text
    return response.json()


async def refused(
    person: Person, store_id: str, status: int = 422, **settings: Any
) -> httpx.Response:
    """Send settings that are refused; nothing has changed, and nothing is in the trail."""
    before = await person.get(path_of(store_id))
    trail = await person.audit()
    response = await person.request("PUT", path_of(store_id), json=settings)
    assert response.status_code == status, response.text
    assert await person.get(path_of(store_id)) == before
    assert await person.audit() == trail
    return response


async def row_of(db: Driver, store_id: str) -> Any:
    return await db.fetchrow(
        "SELECT * FROM store_payment_settings s"
        " LEFT JOIN vek1_api.store_payment p USING (store_id) WHERE s.store_id = $1",
        store_id,
    )


def pointers(response: httpx.Response) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]
