"""The catalogue as CSV, in and out."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, File, Query, Response, UploadFile
from fastapi.responses import StreamingResponse

from vek1_api.access.dependencies import Read, Write
from vek1_api.core import clock
from vek1_api.core.errors import (
    EmptyFileError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from vek1_api.core.problems import responses
from vek1_api.imports import intake
from vek1_api.imports.schemas import ImportAccepted, ImportResult
from vek1_api.products import export
from vek1_api.products.import_rows import IMPORTER
from vek1_api.stores import service as stores
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1/stores/{store_id}/products", tags=["Catalogue"])

CSV = "text/csv"
DryRun = Annotated[bool, Query(description="Only say what would become of each row.")]
_FILE = File(
    description="CSV with a header; `;`, `,` or tab, UTF-8, UTF-16 or Latin-1, up to 32 MB "
    "and 50,000 rows."
)
_EXAMPLE = (
    "id;product_integration_id;name;description;price;stock;custom_props\r\n"
    "2b620636-c145-4b0f-8eca-4a6adb2061e6;CAF-500G;Café Serra Azul 500 g;;29,90;12;\r\n"
)
_EXPORTED = {
    "description": "The catalogue, with a byte order mark, `;` and decimal commas.",
    "content": {
        CSV: {"schema": {"type": "string", "examples": [_EXAMPLE]}, "example": _EXAMPLE}
    },
}


@router.post(
    "/import",
    response_model=ImportResult,
    responses=responses(
        StoreNotFoundError,
        EmptyFileError,
        PayloadTooLargeError,
        UnsupportedMediaTypeError,
    )
    | {
        202: {
            "model": ImportAccepted,
            "description": "More than 1,000 rows: a job imports them.",
        }
    },
)
async def import_products(
    write: Write,
    store_id: UUID,
    file: Annotated[UploadFile, _FILE],
    dry_run: DryRun = False,  # noqa: FBT002 - A query parameter, given by name.
) -> Response:
    """Create and change products from a CSV, each row by itself.

    Columns go by Portuguese or English names: `id`, `product_integration_id` (`código`,
    `sku`), `name` (`nome`), `description` (`descrição`), `price` (`preço`), `stock`
    (`estoque`), `custom_props` (`propriedades`, a JSON object). A row names its product by
    `id`, else by `product_integration_id`, else it is a new product, which needs a name and
    a price. An empty cell leaves the field as it is. Numbers may be `1.234,56` or `1,234.56`.
    """
    return await intake.take(write, IMPORTER, store_id, file, is_dry_run=dry_run)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses=responses(StoreNotFoundError) | {200: _EXPORTED},
)
async def export_products(read: Read, store_id: UUID) -> StreamingResponse:
    """Get the catalogue as the CSV that imports back unchanged.

    What a spreadsheet would take for a formula has an apostrophe before it.
    """
    store = orjson.loads(await stores.get(read.database, read.access, store_id))
    name = f"produtos-{store['slug']}-{clock.now():%Y-%m-%d}.csv"
    return StreamingResponse(
        export.lines(read.database, read.access, store_id),
        media_type=CSV,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
