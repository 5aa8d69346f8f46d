"""Stores: opening, changing, closing, paging."""

import asyncio

from tests.people import Person


async def test_open_store_answers_all_its_fields(ana: Person) -> None:
    store = await ana.open_store("Loja da Savassi", description="Perto da praça")

    assert store["slug"] == "loja-da-savassi"
    assert store["company_id"] == ana.user_id
    assert store["status"] == "active"
    assert store["allocated_size_gb"] == 1
    assert store["created_at"].endswith("Z")
    assert await ana.get(f"/v1/stores/{store['id']}") == store


async def test_two_stores_of_one_name_get_two_slugs(ana: Person) -> None:
    slugs = [(await ana.open_store("Açaí & Cia"))["slug"] for _ in range(3)]

    assert slugs == ["acai-cia", "acai-cia-2", "acai-cia-3"]


async def test_slug_of_ones_choice_that_is_taken_changes_nothing(ana: Person) -> None:
    await ana.open_store("Um", slug="savassi")

    response = await ana.request(
        "POST", "/v1/stores", json={"name": "Dois", "slug": "savassi"}
    )

    assert response.status_code == 409
    assert response.json()["code"] == "slug_taken"
    assert [item["name"] for item in (await ana.get("/v1/stores"))["items"]] == ["Um"]


async def test_many_at_once_get_slugs_of_their_own(ana: Person) -> None:
    stores = await asyncio.gather(*(ana.open_store("Loja") for _ in range(8)))

    assert len({store["slug"] for store in stores}) == 8


async def test_two_companies_may_use_the_same_slug(ana: Person, bruno: Person) -> None:
    first = await ana.open_store("Centro", slug="centro")
    second = await bruno.open_store("Centro", slug="centro")

    assert first["slug"] == second["slug"] == "centro"


async def test_update_changes_only_what_is_sent_and_is_audited(ana: Person) -> None:
    store = await ana.open_store("Antes", description="fica")

    changed = await ana.patch(f"/v1/stores/{store['id']}", {"name": "Depois"})

    assert changed["name"] == "Depois"
    assert changed["description"] == "fica"
    assert changed["updated_at"] > store["updated_at"]
    entry = (await ana.audit(action="store.updated"))[0]
    assert entry["meta"] == {"changes": {"name": ["Antes", "Depois"]}}
    assert entry["actor_user_id"] == ana.user_id
    assert entry["store_id"] == store["id"]


async def test_null_clears_a_field_that_may_be_empty(ana: Person) -> None:
    store = await ana.open_store("Loja", description="vai sair")

    changed = await ana.patch(f"/v1/stores/{store['id']}", {"description": None})

    assert changed["description"] is None


async def test_update_of_an_old_version_changes_nothing(ana: Person) -> None:
    store = await ana.open_store("Loja")
    path = f"/v1/stores/{store['id']}"
    etag = (await ana.request("GET", path)).headers["ETag"]
    await ana.patch(path, {"name": "Outra"})

    response = await ana.request(
        "PATCH", path, json={"name": "Terceira"}, headers={"If-Match": etag}
    )

    assert response.status_code == 412
    assert response.json()["code"] == "precondition_failed"
    assert (await ana.get(path))["name"] == "Outra"


async def test_known_version_is_not_sent_again(ana: Person) -> None:
    path = f"/v1/stores/{(await ana.open_store())['id']}"
    etag = (await ana.request("GET", path)).headers["ETag"]

    response = await ana.request("GET", path, headers={"If-None-Match": etag})

    assert response.status_code == 304
    assert response.content == b""


async def test_deleted_store_is_gone_with_all_below_it(ana: Person) -> None:
    store = await ana.open_store("Loja", slug="unica")
    agent = await ana.add_agent(store["id"])

    await ana.delete(f"/v1/stores/{store['id']}")

    for path in (
        f"/v1/stores/{store['id']}",
        f"/v1/stores/{store['id']}/agents",
        f"/v1/stores/{store['id']}/usage",
        f"/v1/agents/{agent['id']}",
    ):
        assert (await ana.request("GET", path)).status_code == 404, path
    assert (await ana.get("/v1/stores"))["items"] == []
    assert (await ana.open_store("Loja", slug="unica"))["slug"] == "unica"


async def test_status_deleted_cannot_be_written(ana: Person) -> None:
    store = await ana.open_store()

    response = await ana.request(
        "PATCH", f"/v1/stores/{store['id']}", json={"status": "deleted"}
    )

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/status"
    assert (await ana.get(f"/v1/stores/{store['id']}"))["status"] == "active"


async def test_store_needs_a_company(ana: Person) -> None:
    stranger = Person(ana.http, "somebody-without-a-company")

    response = await stranger.request("POST", "/v1/stores", json={"name": "Loja"})

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


async def test_pages_show_every_store_once_while_others_are_opened(ana: Person) -> None:
    opened = [(await ana.open_store(f"Loja {number}"))["id"] for number in range(7)]

    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = await ana.get("/v1/stores", **params)
        seen += [item["id"] for item in page["items"]]
        await ana.open_store("Aberta enquanto se lê")
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == opened[::-1]


async def test_usage_counts_what_is_there(ana: Person) -> None:
    store = await ana.open_store(allocated_size_gb=2)
    await ana.add_agent(store["id"])

    usage = await ana.get(f"/v1/stores/{store['id']}/usage")

    assert usage["used_bytes"] == 0
    assert usage["allowed_bytes"] == 2 * 2**30
    assert usage["counts"] == {
        "agents": 1,
        "documents": 0,
        "products": 0,
        "leads": 0,
        "messages": 0,
        "orders": 0,
    }
