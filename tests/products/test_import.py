"""Importing a catalogue that is answered at once."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.imports.files import products, run_import, send, statuses, table, traces
from tests.people import Person
from vek1_api.core.resources import Resources

NOTHING = {"created": 0, "updated": 0, "unchanged": 0, "error": 0}


async def movements(resources: Resources, store_id: str) -> list[Any]:
    statement = (
        "SELECT delta, reason, payload::text FROM stock_movements WHERE store_id = $1"
        " ORDER BY created_at, delta"
    )
    async with resources.database.driver() as driver:
        return [tuple(row) for row in await driver.fetch(statement, UUID(store_id))]


async def test_new_products_have_all_that_their_rows_say(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    content = (
        "Código;Produto;Descrição;Valor (R$);Estoque;Propriedades\n"
        'CAF-1;Café "Serra";"Torra\nmédia";R$ 1.234,56;10;"{""peso"": ""500 g""}"\n'
        ";Chá;;9,9;;\n"
    )

    answer = await run_import(ana, store["id"], content)

    assert answer["dry_run"] is False
    assert answer["summary"] == NOTHING | {"created": 2}
    assert [(row["row"], row["status"]) for row in answer["rows"]] == [
        (1, "created"),
        (2, "created"),
    ]
    coffee, tea = await products(ana, store["id"])
    assert [row["product_id"] for row in answer["rows"]] == [coffee["id"], tea["id"]]
    assert coffee["name"] == 'Café "Serra"'
    assert coffee["description"] == "Torra\nmédia"
    assert (coffee["price"], coffee["stock"]) == (1234.56, 10)
    assert coffee["product_integration_id"] == "CAF-1"
    assert coffee["custom_props"] == {"peso": "500 g"}
    assert (tea["description"], tea["stock"], tea["custom_props"]) == (None, 0, None)
    assert (tea["price"], tea["product_integration_id"]) == (9.9, None)
    assert await movements(resources, store["id"]) == [
        (10, "manual", '{"source": "opening"}')
    ]


async def test_known_products_change_only_where_their_rows_differ(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    first = await run_import(
        ana,
        store["id"],
        "sku,name,price,stock,description\nA,Café,10.00,5,Bom\nB,Chá,5,7,Verde\nC,Pão,1,0,\n",
    )
    before = await products(ana, store["id"])

    answer = await run_import(
        ana, store["id"], "sku,name,price,stock\nA,,12.50,2\nB,Chá,5.00,7\nC,Pão,1,4\n"
    )

    assert statuses(answer) == ["updated", "unchanged", "updated"]
    assert answer["summary"] == NOTHING | {"updated": 2, "unchanged": 1}
    ids = [row["product_id"] for row in first["rows"]]
    assert [row["product_id"] for row in answer["rows"]] == ids
    coffee, tea, bread = await products(ana, store["id"])
    assert (coffee["name"], coffee["description"]) == ("Café", "Bom")
    assert (coffee["price"], coffee["stock"]) == (12.5, 2)
    assert tea == before[1]
    assert bread["stock"] == 4
    entry = (await ana.audit(action="products.imported"))[0]
    moved = f'{{"source": "import", "import_id": "{entry["target_id"]}"}}'
    assert await movements(resources, store["id"]) == [
        (5, "manual", '{"source": "opening"}'),
        (7, "manual", '{"source": "opening"}'),
        (-3, "manual", moved),
        (4, "manual", moved),
    ]


async def test_row_names_its_product_by_id_before_its_code(ana: Person) -> None:
    store = await ana.open_store()
    made = await run_import(ana, store["id"], "sku,name,price\nA,Café,10\nB,Chá,5\n")
    coffee = made["rows"][0]["product_id"]

    answer = await run_import(
        ana, store["id"], f"id,sku,name\n{coffee.upper()},Z,Café novo\n,B,Chá novo\n"
    )

    assert statuses(answer) == ["updated", "updated"]
    found = await products(ana, store["id"])
    assert [(each["product_integration_id"], each["name"]) for each in found] == [
        ("Z", "Café novo"),
        ("B", "Chá novo"),
    ]
    # The old code is free again, and names a new product.
    again = await run_import(
        ana, store["id"], "sku,name,price\nA,Outro,1\nZ,Café novo,10\n"
    )
    assert statuses(again) == ["created", "unchanged"]


async def test_bad_rows_say_what_is_wrong_and_hinder_no_other(
    ana: Person, bruno: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    other_store = await bruno.open_store()
    theirs = await run_import(bruno, other_store["id"], "name,price\nDeles,1\n")
    made = await run_import(ana, store["id"], "sku,name,price\nA,Café,10\nB,Chá,5\n")
    coffee, foreign = made["rows"][0]["product_id"], theirs["rows"][0]["product_id"]
    rows = [
        ("id", "sku", "name", "price", "stock", "custom_props"),
        (str(uuid4()), "", "Ninguém", "1", "", ""),
        (foreign, "X1", "Meu", "1", "", ""),
        (coffee, "B", "Café", "", "", ""),
        ("", "N1", "", "3", "", ""),
        ("", "", "Sem preço", "", "", ""),
        ("", "N\u200b2", "y" * 201, "-1", "1,5", "[1]"),
        ("", "A", "Café", "11", "", ""),
        (coffee, "", "Café", "12", "", ""),
        ("", "N3", "Novo", "2,50", "3", ""),
        ("", "N3", "Repetido", "2", "", ""),
        ("não é", "", "x", "1", "", ""),
    ]

    answer = await run_import(ana, store["id"], table(*rows))

    assert answer["summary"] == NOTHING | {"created": 1, "updated": 1, "error": 9}
    errors = {
        row["row"]: [(error["pointer"], error["code"]) for error in row["errors"]]
        for row in answer["rows"]
        if row["status"] == "error"
    }
    assert errors == {
        1: [("/id", "not_found")],
        2: [("/id", "not_found")],
        3: [("/product_integration_id", "conflict")],
        4: [("/name", "missing")],
        5: [("/price", "missing")],
        6: [
            ("/product_integration_id", "value_error"),
            ("/name", "string_too_long"),
            ("/price", "greater_than_equal"),
            ("/stock", "int_from_float"),
            ("/custom_props", "dict_type"),
        ],
        8: [("/id", "duplicate")],
        10: [("/product_integration_id", "duplicate")],
        11: [("/id", "uuid_parsing")],
    }
    assert "Row 9 has" in answer["rows"][9]["errors"][0]["message"]
    assert (await products(bruno, other_store["id"]))[0]["name"] == "Deles"
    assert [each["price"] for each in await products(ana, store["id"])] == [11, 5, 2.5]
    # What a refused row had asked for stays free.
    async with resources.database.driver() as driver:
        keys = await driver.fetch(
            "SELECT product_integration_id FROM vek1_api.product_keys WHERE store_id = $1"
            " ORDER BY 1",
            UUID(store["id"]),
        )
    assert [row[0] for row in keys] == ["A", "B", "N3"]


async def test_two_rows_about_one_product_by_id_and_code_give_the_later_an_error(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    made = await run_import(ana, store["id"], "sku,name,price\nA,Café,10\n")
    coffee = made["rows"][0]["product_id"]

    answer = await run_import(ana, store["id"], f"id,sku,price\n,A,11\n{coffee},NEW,12\n")

    assert statuses(answer) == ["updated", "error"]
    assert answer["rows"][1]["errors"][0]["code"] == "duplicate"
    [product] = await products(ana, store["id"])
    assert (product["price"], product["product_integration_id"]) == (11, "A")
    assert (await traces(resources, store["id"]))[3] == 1


async def test_dry_run_tells_the_verdicts_and_writes_nothing(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    await run_import(ana, store["id"], "sku,name,price,stock\nA,Café,10,1\nB,Chá,5,2\n")
    before = await traces(resources, store["id"])
    content = "sku,name,price,stock\nA,Café,10,9\nB,Chá,5,2\nC,Pão,1,1\nD,,1,1\n"

    dry = await run_import(ana, store["id"], content, dry_run=True)

    assert dry["dry_run"] is True
    assert statuses(dry) == ["updated", "unchanged", "created", "error"]
    assert "product_id" not in dry["rows"][2]
    assert await traces(resources, store["id"]) == before
    done = await run_import(ana, store["id"], content)
    assert statuses(done) == statuses(dry)
    assert done["summary"] == dry["summary"]


async def test_same_key_imports_once_and_repeats_the_answer(ana: Person) -> None:
    store = await ana.open_store()
    headers = {"Idempotency-Key": f"import-{uuid4()}"}
    content = "name,price\nCafé,10\n"

    first = await send(ana, store["id"], content, headers=headers)
    second = await send(ana, store["id"], content, headers=headers)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(await products(ana, store["id"])) == 1
    for changed in (
        await send(ana, store["id"], "name,price\nCafé,11\n", headers=headers),
        await send(ana, store["id"], content, headers=headers, params={"dry_run": "1"}),
    ):
        assert changed.json()["code"] == "idempotency_key_reused"


async def test_dry_run_is_repeated_by_its_key(ana: Person) -> None:
    store = await ana.open_store()
    options = {
        "headers": {"Idempotency-Key": f"dry-{uuid4()}"},
        "params": {"dry_run": "true"},
    }

    first = await send(ana, store["id"], "name,price\nCafé,10\n", **options)
    second = await send(ana, store["id"], "name,price\nCafé,10\n", **options)

    assert second.content == first.content
    assert second.headers["Idempotency-Replayed"] == "true"


async def test_import_is_one_entry_in_the_trail(ana: Person) -> None:
    store = await ana.open_store()

    await run_import(ana, store["id"], "name,price\nCafé,10\nChá,-1\n")

    [entry] = [each for each in await ana.audit() if each["action"].startswith("product")]
    assert entry["action"] == "products.imported"
    assert (entry["actor_user_id"], entry["store_id"]) == (ana.user_id, store["id"])
    assert entry["meta"] == {"summary": NOTHING | {"created": 1, "error": 1}}


async def test_imported_product_is_found_and_speaks(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()

    await run_import(ana, store["id"], "name,price\nMoedor elétrico,199\n")

    page = await ana.get(f"/v1/stores/{store['id']}/products", q="moedores eletricos")
    assert [each["name"] for each in page["items"]] == ["Moedor elétrico"]
    assert (await traces(resources, store["id"]))[1] == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
async def test_file_is_taken_as_a_spreadsheet_saves_it(ana: Person, encoding: str) -> None:
    store = await ana.open_store()
    content = "CÓDIGO\tNome\tPREÇO (R$)\r\nA\tPão de açúcar\t1.234\r\n".encode(encoding)

    await run_import(ana, store["id"], content)

    [product] = await products(ana, store["id"])
    assert (product["name"], product["price"]) == ("Pão de açúcar", 1234)


async def test_rows_with_the_longest_texts_are_imported_in_portions(ana: Person) -> None:
    store = await ana.open_store()
    text = "torra média " * 4_166
    rows = [(f"K{number}", f"Café {number}", "1", text) for number in range(45)]
    content = table(("sku", "name", "price", "description"), *rows, rows[3])

    answer = await run_import(ana, store["id"], content)

    assert statuses(answer) == ["created"] * 45 + ["error"]
    assert [row["row"] for row in answer["rows"]] == list(range(1, 47))
    assert {each["description"] for each in await products(ana, store["id"])} == {text}
