"""A shopper's words find a product: accents, plurals, beginnings and typing slips."""

import asyncio

import pytest

from tests.people import Person
from tests.products.shelf import add_product, names_found
from vek1_api.core.db import Driver
from vek1_api.core.schema import connect

SHELF = [
    "Cafeteira italiana 6 xícaras",
    "Moedor de café elétrico",
    "Caneca de cerâmica azul",
    "Calça jeans feminina",
    "Camisetas de algodão",
    "Pão de queijo congelado",
    "Chocolate em pó 50% cacau",
]


@pytest.fixture
async def store_id(ana: Person) -> str:
    store_id = str((await ana.open_store())["id"])
    for name in SHELF:
        await add_product(ana, store_id, name=name)
    await add_product(
        ana,
        store_id,
        name="Filtro de papel",
        description="Combina com a prensa francesa.",
        product_integration_id="FLT-103",
        custom_props={"material": "celulose"},
    )
    return store_id


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("cafeteiras", ["Cafeteira italiana 6 xícaras"]),
        ("xicara", ["Cafeteira italiana 6 xícaras"]),
        ("MOEDORES ELETRICOS", ["Moedor de café elétrico"]),
        ("camiseta algodao", ["Camisetas de algodão"]),
        ("pães de queijo", ["Pão de queijo congelado"]),
        ("caneca azul", ["Caneca de cerâmica azul"]),
        # Typing slips: swapped, doubled, missing, another letter.
        ("cafetiera", ["Cafeteira italiana 6 xícaras"]),
        ("cannecas", ["Caneca de cerâmica azul"]),
        ("chocolte", ["Chocolate em pó 50% cacau"]),
        ("camizeta", ["Camisetas de algodão"]),
        ("calsa", ["Calça jeans feminina"]),
        # The beginning of a word.
        ("choco", ["Chocolate em pó 50% cacau"]),
        # Description, properties, the ERP's id.
        ("prensa francesa", ["Filtro de papel"]),
        ("celulose", ["Filtro de papel"]),
        ("flt-103", ["Filtro de papel"]),
        # All words, not some; and a word that is known is taken as it is.
        ("caneca vermelha", []),
        ("café", ["Moedor de café elétrico"]),
        ("de", []),
        ("!!!", []),
        ("' | '", []),
        # Three letters are a beginning too, and a backslash is no syntax.
        ("cam", ["Camisetas de algodão"]),
        ("café ele", ["Moedor de café elétrico"]),
        ("C:\\Users\\cafe", []),
        ("\\", []),
    ],
)
async def test_words_find(ana: Person, store_id: str, words: str, found: list[str]) -> None:
    assert await names_found(ana, store_id, words) == sorted(found)


async def test_a_change_is_found_at_once_and_what_was_is_not(
    ana: Person, store_id: str
) -> None:
    product = await add_product(ana, store_id, name="Bule esmaltado")

    await ana.patch(f"/v1/products/{product['id']}", {"name": "Chaleira esmaltada"})

    assert await names_found(ana, store_id, "chaleira") == ["Chaleira esmaltada"]
    assert await names_found(ana, store_id, "bule") == []


async def test_search_pages_and_filters(ana: Person, store_id: str) -> None:
    for number in range(5):
        await add_product(ana, store_id, name=f"Xarope {number}", stock=number % 2)
    path = f"/v1/stores/{store_id}/products"

    first = await ana.get(path, q="xarope", limit=3)
    second = await ana.get(path, q="xarope", limit=3, cursor=first["next_cursor"])

    names = [each["name"] for each in first["items"] + second["items"]]
    assert names == [f"Xarope {number}" for number in (4, 3, 2, 1, 0)]
    assert second["next_cursor"] is None
    in_stock = await names_found(ana, store_id, "xarope", in_stock=True)
    assert in_stock == ["Xarope 1", "Xarope 3"]


async def test_other_stores_words_are_not_known_here(ana: Person, bruno: Person) -> None:
    mine = (await ana.open_store())["id"]
    theirs = (await bruno.open_store())["id"]
    await add_product(ana, mine, name="Moedor")
    await add_product(bruno, theirs, name="Medor")

    # "medor" is a slip in this store, though it is a word in the other.
    assert await names_found(ana, mine, "medor") == ["Moedor"]


async def test_nul_is_refused(ana: Person, store_id: str) -> None:
    answer = await ana.request("GET", f"/v1/stores/{store_id}/products?q=%00")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/q"


async def test_a_change_beside_another_is_found(
    ana: Person, store_id: str, db: Driver, database_url: str
) -> None:
    product = await add_product(ana, store_id, name="Bule esmaltado")
    file_id = await db.fetchval(
        "INSERT INTO product_files (company_id, product_id, filename, original_filename,"
        " file_size, file_type, file_url, bucket_name)"
        " VALUES ($1, $2, 'k', 'k.csv', 1, 'text/csv', 'u', 'vek1') RETURNING id",
        ana.user_id,
        product["id"],
    )
    renaming = await connect(database_url)
    await renaming.execute("BEGIN")
    await renaming.execute(
        "UPDATE products SET name = 'Chaleira' WHERE id = $1", product["id"]
    )
    reading = asyncio.create_task(
        db.execute("UPDATE product_files SET content = 'x' WHERE id = $1", file_id)
    )
    await asyncio.sleep(0.05)  # It waits for the other by then, or the test proves less.
    await renaming.execute("COMMIT")
    await reading
    await renaming.close()

    assert await names_found(ana, store_id, "chaleira") == ["Chaleira"]
    assert await names_found(ana, store_id, "bule") == []


async def test_row_of_the_front_end_is_found(
    ana: Person, store_id: str, db: Driver
) -> None:
    await db.execute(
        "INSERT INTO products (store_id, name, price) VALUES ($1, 'Garrafa térmica', 89)",
        store_id,
    )

    assert await names_found(ana, store_id, "garrafas termicas") == ["Garrafa térmica"]
