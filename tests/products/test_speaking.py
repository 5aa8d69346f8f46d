"""A product speaks: its document follows it, and an agent that knows the catalogue answers."""

from typing import Any

import pytest

from tests.conftest import RunJobs
from tests.people import Person
from tests.products.shelf import COFFEE, add_product
from vek1_api.core.db import Driver

TEXT = """Café Serra Azul 500 g
Preço: R$ 1.029,90
Código: CAF-500G

Notas de chocolate e caramelo.

descafeinado: não
moagens: coado, espresso
torra: média"""


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def documents_of(person: Person, store_id: str) -> list[Any]:
    page = await person.get(f"/v1/stores/{store_id}/documents")
    return [await person.get(f"/v1/documents/{each['id']}") for each in page["items"]]


async def ask(person: Person, store_id: str, query: str, **more: Any) -> list[Any]:
    body = {"query": query, **more}
    return list(
        (await person.post(f"/v1/stores/{store_id}/search", body, status=200))["items"]
    )


async def test_document_says_what_the_product_is(ana: Person, store_id: str) -> None:
    props = COFFEE["custom_props"] | {"descafeinado": False}
    product = await add_product(
        ana, store_id, **COFFEE | {"price": 1029.9, "custom_props": props}
    )

    (document,) = await documents_of(ana, store_id)

    assert document["product_id"] == product["id"]
    assert (document["title"], document["content"]) == (COFFEE["name"], TEXT)
    assert (document["category"], document["index_status"]) == ("catalogo", "pending")


async def test_agent_that_knows_the_catalogue_answers_about_a_product(
    ana: Person, store_id: str, run_jobs: RunJobs
) -> None:
    agent_id = (await ana.add_agent(store_id))["id"]
    product = await add_product(ana, store_id, **COFFEE)
    await run_jobs()

    assert await ask(ana, store_id, "café com notas de caramelo", agent_id=agent_id) == []
    answer = await ana.request(
        "PUT",
        f"/v1/agents/{agent_id}/knowledge-base",
        json={"document_ids": [], "whole_catalogue": True},
    )
    assert answer.status_code == 200

    (found,) = await ask(ana, store_id, "café com notas de caramelo", agent_id=agent_id)
    assert found["title"] == COFFEE["name"]
    await ana.patch(f"/v1/products/{product['id']}", {"description": "Notas de rapadura."})
    await run_jobs()
    (found,) = await ask(ana, store_id, "rapadura", agent_id=agent_id, mode="keyword")
    assert "rapadura" in found["chunk"]["text"]
    assert await ask(ana, store_id, "caramelo", agent_id=agent_id, mode="keyword") == []


async def test_old_text_is_never_quoted_while_the_new_one_waits(
    ana: Person, store_id: str, run_jobs: RunJobs
) -> None:
    product = await add_product(ana, store_id, **COFFEE)
    other = await ana.add_document(store_id, "Nosso caramelo é feito aqui.")
    await run_jobs()

    await ana.patch(f"/v1/products/{product['id']}", {"description": "Notas de rapadura."})
    await ana.patch(f"/v1/documents/{other['id']}", {"title": "Doces"})
    waiting = await ask(ana, store_id, "caramelo")
    await run_jobs()
    ready = await ask(ana, store_id, "rapadura")

    # Of the other only the title waits: its text is still quoted.
    assert [found["document_id"] for found in waiting] == [other["id"]]
    assert product["name"] in [found["title"] for found in ready]


async def test_change_of_stock_alone_says_nothing_new(
    ana: Person, store_id: str, run_jobs: RunJobs
) -> None:
    product = await add_product(ana, store_id, **COFFEE)
    await run_jobs()
    (before,) = await documents_of(ana, store_id)

    await ana.patch(f"/v1/products/{product['id']}", {"stock": 1})

    assert await documents_of(ana, store_id) == [before]
    assert before["index_status"] == "ready"


async def test_product_that_is_gone_never_answers(
    ana: Person, store_id: str, run_jobs: RunJobs
) -> None:
    agent_id = (await ana.add_agent(store_id))["id"]
    product = await add_product(ana, store_id, **COFFEE)
    (document,) = await documents_of(ana, store_id)
    await ana.post(
        f"/v1/agents/{agent_id}/knowledge-base/{document['id']}", None, status=200
    )
    await run_jobs()

    await ana.delete(f"/v1/products/{product['id']}")

    assert await ask(ana, store_id, "caramelo") == []
    assert await documents_of(ana, store_id) == []


async def test_text_of_a_merchant_stays_when_its_product_goes(
    ana: Person, store_id: str
) -> None:
    product = await add_product(ana, store_id)
    mine = await ana.add_document(store_id, "Moer na hora.", product_id=product["id"])

    await ana.delete(f"/v1/products/{product['id']}")

    (left,) = await documents_of(ana, store_id)
    assert (left["id"], left["product_id"]) == (mine["id"], None)


async def test_many_products_at_once_are_indexed_by_one_job(
    ana: Person, store_id: str, db: Driver, run_jobs: RunJobs
) -> None:
    await db.execute(
        "INSERT INTO products (store_id, name, price)"
        " SELECT $1, 'Caneca número ' || n, 35 FROM generate_series(1, 50) AS n",
        store_id,
    )

    jobs = "SELECT entrypoint FROM vek1_api.pgqueuer WHERE status = 'queued'"
    assert [row["entrypoint"] for row in await db.fetch(jobs)] == ["documents.index_store"]
    await run_jobs()
    (found, *_) = await ask(ana, store_id, "caneca 37", mode="keyword")
    assert found["title"] == "Caneca número 37"
    path = f"/v1/stores/{store_id}/documents"
    assert (await ana.get(path, index_status="pending"))["items"] == []


async def test_generated_document_is_changed_through_its_product_only(
    ana: Person, store_id: str
) -> None:
    await add_product(ana, store_id, **COFFEE)
    (document,) = await documents_of(ana, store_id)
    path = f"/v1/documents/{document['id']}"

    for method, body in (("PATCH", {"content": "x"}), ("DELETE", None)):
        answer = await ana.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert "product" in answer.json()["detail"]

    assert await documents_of(ana, store_id) == [document]
