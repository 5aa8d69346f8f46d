"""The rows of the benchmark, by the name that ``make bench ROW=...`` takes."""

from bench.rows import (
    create_document,
    erp_batch,
    get_one,
    import_products,
    lead_search,
    lead_upsert,
    list_page,
    message_append,
    messages_page,
    orders,
    products,
    retrieval,
    search,
    settlement,
    stock_notices,
    webhooks,
)
from bench.run import Row

ROWS: dict[str, Row] = {
    "list": list_page.run,
    "get": get_one.run,
    "create_document": create_document.run,
    "lead_upsert": lead_upsert.run,
    "message_append": message_append.run,
    "products": products.run,
    "messages_page": messages_page.run,
    "orders": orders.run,
    "webhooks": webhooks.run,
    "settlement": settlement.run,
    "lead_search": lead_search.run,
    "search": search.run,
    "retrieval": retrieval.run,
    "import": import_products.run,
    "erp_batch": erp_batch.run,
    "stock_notices": stock_notices.run,
}
"""In the order in which they run: a small database first."""
