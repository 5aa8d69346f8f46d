"""Files that are refused as a whole, and what stays as it was."""

import pytest

from tests.imports.files import products, refused, traces
from tests.people import Person
from vek1_api.core.resources import Resources


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "empty_file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), 415, "unsupported_media_type"),
        (b"PK\x03\x04" + bytes(64), 415, "unsupported_media_type"),
        (b"%PDF-1.7\n", 415, "unsupported_media_type"),
        (b"name;price\n\x00;1\n", 415, "unsupported_media_type"),
        (b"nome;cor\nx;y\n", 422, "validation_failed"),
        (b"nome\nx\n", 422, "validation_failed"),
        (b'name;price\n"x;1\n', 422, "validation_failed"),
    ],
)
async def test_file_that_cannot_be_read_is_refused_and_nothing_is_written(
    ana: Person, resources: Resources, content: bytes, status: int, code: str
) -> None:
    store = await ana.open_store()
    before = await traces(resources, store["id"])

    problem = await refused(ana, store["id"], content, status)

    assert problem["code"] == code
    assert await traces(resources, store["id"]) == before


@pytest.mark.parametrize(
    "content",
    [b"name,price\n" + b"x" * (33 * 1024 * 1024), b"name,price\n" + b"x,1\n" * 50_001],
    ids=["bytes", "rows"],
)
async def test_file_that_is_too_large_is_refused(ana: Person, content: bytes) -> None:
    store = await ana.open_store()

    problem = await refused(ana, store["id"], content, 413)

    assert problem["code"] == "payload_too_large"
    assert await products(ana, store["id"]) == []


async def test_columns_that_cannot_be_read_are_named_one_by_one(ana: Person) -> None:
    store = await ana.open_store()

    problem = await refused(
        ana, store["id"], "nome;Preço de custo;nome;a/b\nx;1;y;z\n", 422
    )

    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [
        ("/file/columns/Preço de custo", "unknown_column"),
        ("/file/columns/nome", "duplicate_column"),
        ("/file/columns/a~1b", "unknown_column"),
    ]
    assert "price or preço or valor" in problem["errors"][0]["message"]


async def test_file_of_new_products_only_needs_a_name_and_a_price(ana: Person) -> None:
    store = await ana.open_store()

    problem = await refused(ana, store["id"], "estoque\n1\n", 422)

    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [
        ("/file/columns/name", "missing"),
        ("/file/columns/price", "missing"),
    ]


async def test_store_of_another_company_is_not_found(ana: Person, bruno: Person) -> None:
    store = await bruno.open_store()

    problem = await refused(ana, store["id"], "name,price\nCafé,10\n", 404)

    assert problem["code"] == "not_found"
    assert await products(bruno, store["id"]) == []
    assert (await bruno.audit(action="access.denied"))[0]["target_id"] == store["id"]
