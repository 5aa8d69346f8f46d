"""Rows that only the database finds to be wrong: they cost none of the others."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.imports.files import products, run_import, send, statuses, traces
from tests.people import Person
from vek1_api.core.resources import Resources
from vek1_api.imports import jobs

LINES = 1_100
BAD = (7, 640, 641, 1_100)


@pytest.fixture
async def _picky_database(resources: Resources) -> AsyncGenerator[None]:
    """A database that cannot hold some product, of which no reader knows."""
    async with resources.database.driver() as driver:
        await driver.execute("""
            CREATE FUNCTION refuse_heavy() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE numeric_value_out_of_range; END $$;
            CREATE TRIGGER refuse_heavy BEFORE INSERT ON products FOR EACH ROW
            WHEN (NEW.name LIKE 'Pesado %') EXECUTE FUNCTION refuse_heavy();
        """)
    yield
    async with resources.database.driver() as driver:
        await driver.execute("DROP FUNCTION refuse_heavy CASCADE")


def catalogue(lines: int) -> str:
    rows = [
        f"K{number};{'Pesado' if number in BAD else 'Leve'} {number};1;{-1 if number == 9 else 1}"
        for number in range(1, lines + 1)
    ]
    return "\n".join(["sku;nome;preço;estoque", *rows])


def errors(rows: list[Any]) -> dict[int, str]:
    return {row["row"]: row["errors"][0]["code"] for row in rows if row["errors"]}


@pytest.mark.usefixtures("_picky_database")
async def test_job_imports_all_rows_but_those_that_the_database_refuses(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    import_id = (await send(ana, store["id"], catalogue(LINES))).json()["import_id"]

    await jobs.run(resources, {"import_id": import_id})

    shown = await ana.get(f"/v1/imports/{import_id}", status="error")
    assert (shown["status"], shown["done_rows"]) == ("done", LINES)
    assert errors(shown["rows"]) == {
        9: "greater_than_equal",
        **dict.fromkeys(BAD, "not_storable"),
    }
    assert shown["summary"] == {
        "created": LINES - len(BAD) - 1,
        "updated": 0,
        "unchanged": 0,
        "error": len(BAD) + 1,
    }
    assert len(await products(ana, store["id"])) == LINES - len(BAD) - 1
    async with resources.database.driver() as driver:
        keys = await driver.fetchval(
            "SELECT count(*) FROM vek1_api.product_keys WHERE store_id = $1", store["id"]
        )
    assert keys == LINES - len(BAD) - 1


@pytest.mark.usefixtures("_picky_database")
@pytest.mark.parametrize("dry_run", ["true", "false"])
async def test_request_imports_all_rows_but_those_that_the_database_refuses(
    ana: Person, resources: Resources, dry_run: str
) -> None:
    store = await ana.open_store()
    before = await traces(resources, store["id"])

    answer = await send(ana, store["id"], catalogue(20), params={"dry_run": dry_run})

    assert answer.status_code == 200
    assert answer.json()["summary"]["created"] == 18
    found = [row for row in answer.json()["rows"] if row["status"] == "error"]
    assert {row["row"]: row["errors"][0]["code"] for row in found} == {
        7: "not_storable",
        9: "greater_than_equal",
    }
    if dry_run == "true":
        assert await traces(resources, store["id"]) == before
    else:
        assert len(await products(ana, store["id"])) == 18
        assert len(await ana.audit(action="products.imported")) == 1


@pytest.mark.usefixtures("_picky_database")
async def test_rehearsal_by_a_job_finds_the_rows_that_the_database_refuses(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    sent = await send(ana, store["id"], catalogue(LINES), params={"dry_run": "true"})
    import_id = sent.json()["import_id"]

    await jobs.run(resources, {"import_id": import_id})

    shown = await ana.get(f"/v1/imports/{import_id}", limit=1)
    assert (shown["status"], shown["summary"]["error"]) == ("done", len(BAD) + 1)
    assert await products(ana, store["id"]) == []


@pytest.mark.parametrize(
    "props",
    [
        r'{"a": "\u0000", "a": 1}',
        '{"a": 1, "b": {"c": 1, "c": 2}}',
        '{"a": 1e-20000}',
        '{"a": 1e20000}',
        '{"a": 18446744073709551616}',
        '{"a": NaN}',
        r'{"a": "\ud800"}',
        '{"a": ' + "[" * 100_000,
        '{"a": ' + "9" * 5_000 + "}",
    ],
)
async def test_properties_that_cannot_be_kept_are_an_error_of_their_row_only(
    ana: Person, props: str
) -> None:
    store = await ana.open_store()
    cell = props.replace('"', '""')
    content = f'nome;preço;props\nA;1;"{cell}"\nB;2;"{{""a"": 1.50e0, ""b"": 0.0}}"\n'

    answer = await run_import(ana, store["id"], content)

    assert statuses(answer) == ["error", "created"]
    assert answer["rows"][0]["errors"][0]["pointer"] == "/custom_props"
    [product] = await products(ana, store["id"])
    assert (product["name"], product["custom_props"]) == ("B", {"a": 1.5, "b": 0})
