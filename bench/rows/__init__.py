"""The rows of the benchmark, by the name that ``make bench ROW=...`` takes."""

from bench.rows import (
    create_document,
    get_one,
    import_products,
    list_page,
    retrieval,
    search,
)
from bench.run import Row

ROWS: dict[str, Row] = {
    "list": list_page.run,
    "get": get_one.run,
    "create_document": create_document.run,
    "search": search.run,
    "retrieval": retrieval.run,
    "import": import_products.run,
}
"""In the order in which they run: a small database first."""
