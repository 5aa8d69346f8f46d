"""``products``: a page of 50 products, and finding some by words, in 200 shops."""

import asyncpg

from bench.load import request
from bench.report import Section
from bench.run import Bench
from bench.shops import open_shops

LIST_TARGET, FIND_TARGET = 0.60, 0.60
SHOPS, QUICK_SHOPS = 200, 40
PRODUCTS = 250
"""Of each shop."""

READ_SHOPS = 32
QUESTIONS = ("cafe%20em%20graos", "moedores", "caneca%20azul", "torra%20media%20500%20g")

_PRODUCTS = """
    INSERT INTO products (store_id, name, description, price, stock,
                          product_integration_id, custom_props, created_at)
    SELECT $1, kind || ' ' || colour || ', lote ' || n,
           'Torra média, notas de chocolate e caramelo; para coado ou espresso.',
           10 + n % 90, n % 40, 'SKU-' || n, '{"peso": "500 g"}',
           timezone('UTC', now()) - n * interval '1 minute'
    FROM generate_series(1, $2::int) AS n
    CROSS JOIN LATERAL (SELECT
        (ARRAY['Café em grãos', 'Moedor manual', 'Caneca', 'Filtro', 'Xícara'])[1 + n % 5]
            AS kind,
        (ARRAY['azul', 'preto', 'branco', 'verde'])[1 + n % 4] AS colour) AS named
"""


async def run(bench: Bench) -> list[Section]:
    """Measure the list and the search."""
    count = QUICK_SHOPS if bench.is_quick else SHOPS
    bench.say("opening shops")
    shops = await open_shops(bench.world, "catalogue", count)
    connection = await asyncpg.connect(bench.world.database_url)
    try:
        for number, shop in enumerate(shops):
            bench.say(f"writing products: shop {number + 1} of {count}")
            await connection.execute(_PRODUCTS, shop.store_id, PRODUCTS)
        await connection.execute("DELETE FROM vek1_api.pgqueuer")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    sections = []
    total = f"{count * PRODUCTS:,}"
    for name, queries, target in (
        (f"list of 50 of {total} products", [""], LIST_TARGET),
        (
            f"find among {total} products",
            [f"?q={each}" for each in QUESTIONS],
            FIND_TARGET,
        ),
    ):
        requests = [
            request(
                "GET",
                f"/v1/stores/{shop.store_id}/products{query}",
                bench.world.headers(shop.user_id),
            )
            for query in queries
            for shop in shops[:: max(1, count // READ_SHOPS)]
        ]
        sections.append(await bench.compare(name, requests, target=target))
    return sections
