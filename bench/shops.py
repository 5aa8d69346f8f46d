"""Shops with agents and documents, for the rows that read and write single things."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import httpx

from bench.world import World

SHOPS = 32
"""More than there are connections, so that writes seldom wait for each other's quota."""

ROWS = 200
"""Agents, and documents, of each shop: four pages."""

_AGENTS = """
    INSERT INTO agents (store_id, name, type, description, active, spending_limit,
                        system_prompt, rate_limit_per_hour, created_at)
    SELECT $1, 'Lia ' || n, 'sales', 'Atende quem compra café e máquinas.', true, 150,
           'Você é a Lia. Atende com simpatia e só afirma o que está nos documentos.', 60,
           timezone('UTC', now()) - n * interval '1 minute'
    FROM generate_series(1, $2::int) AS n
"""
_DOCUMENTS = """
    WITH document AS (
        INSERT INTO documents (store_id, title, content, category, tags, metadata, created_at)
        SELECT $1, 'Política de trocas ' || n, $3, 'politicas', '{trocas,garantia}',
               '{"origem": "loja"}', timezone('UTC', now()) - n * interval '1 minute'
        FROM generate_series(1, $2::int) AS n
        RETURNING id, store_id
    )
    INSERT INTO vek1_api.document_index (document_id, store_id, status, chunk_count)
    SELECT id, store_id, 'ready', 1 FROM document
"""

TEXT = (
    "Você pode desistir da compra em até 7 dias corridos após o recebimento, sem dizer por "
    "quê. A devolução é por nossa conta: enviamos o código de postagem por e-mail. O produto "
    "volta na embalagem original, com manual e acessórios, e sem sinais de uso. Conferimos em "
    "até 3 dias úteis e devolvemos o valor pelo mesmo meio do pagamento; no PIX, no mesmo "
    "dia. Cafés torrados só voltam se o pacote estiver fechado. Para trocar por outro "
    "produto, vale a mesma regra, com prazo de 30 dias. Guarde a nota fiscal: ela é a sua "
    "garantia, de 12 meses para máquinas e moedores."
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A company with one store."""

    user_id: str
    store_id: UUID


async def open_shops(world: World, prefix: str, count: int) -> list[Shop]:
    """Make companies with a store each, through the API."""
    async with httpx.AsyncClient(base_url=world.app_url, trust_env=False) as http:
        wanted = (_open(world, http, f"{prefix}-{number}") for number in range(count))
        return [await each for each in wanted]


async def _open(world: World, http: httpx.AsyncClient, user_id: str) -> Shop:
    headers = world.headers(user_id)
    company = {"user_id": user_id, "name": "Torrefação Serra Azul"}
    made = await http.post("/internal/company/ensure", headers=headers, json=company)
    made.raise_for_status()
    store = {"name": "Serra Azul", "allocated_size_gb": 10}
    opened = await http.post("/v1/stores", headers=headers, json=store)
    opened.raise_for_status()
    return Shop(user_id, UUID(opened.json()["id"]))


async def stocked_shops(world: World) -> list[Shop]:
    """Return shops with ``ROWS`` agents and documents each."""
    shops = await open_shops(world, "list", SHOPS)
    connection = await asyncpg.connect(world.database_url)
    try:
        for shop in shops:
            await connection.execute(_AGENTS, shop.store_id, ROWS)
            await connection.execute(_DOCUMENTS, shop.store_id, ROWS, TEXT)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return shops


async def agent_of_each(world: World, shops: list[Shop]) -> list[UUID]:
    """Return the id of one agent of each shop, in their order."""
    connection = await asyncpg.connect(world.database_url)
    try:
        first = "SELECT id FROM agents WHERE store_id = $1 ORDER BY created_at LIMIT 1"
        return [await connection.fetchval(first, shop.store_id) for shop in shops]
    finally:
        await connection.close()
