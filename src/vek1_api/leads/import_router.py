"""A store's leads as CSV, in and out."""

from typing import Annotated
from uuid import UUID

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
from vek1_api.leads import export
from vek1_api.leads.import_rows import IMPORTER
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1/stores/{store_id}/leads", tags=["Leads"])

CSV = "text/csv"
DryRun = Annotated[bool, Query(description="Only say what would become of each row.")]
_FILE = File(
    description="CSV with a header; `;`, `,` or tab, UTF-8, UTF-16 or Latin-1, up to 32 MB "
    "and 50,000 rows."
)
_EXAMPLE = (
    "channel;external_id;name;email;phone_number;street_address;address_number;complement;"
    "neighborhood;postal_code;city;state;notes;status;custom_attributes;interests;"
    "preferences\r\n"
    "whatsapp;5531999998888;Joana Ribeiro;joana@exemplo.com.br;;;;;;30160011;"
    'Belo Horizonte;MG;;qualified;;"[""espresso""]";\r\n'
)
_EXPORTED = {
    "description": "The leads, with a byte order mark and `;`.",
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
async def import_leads(
    write: Write,
    store_id: UUID,
    file: Annotated[UploadFile, _FILE],
    dry_run: DryRun = False,  # noqa: FBT002 - A query parameter, given by name.
) -> Response:
    """Write down people from a CSV, each row by itself.

    Columns go by Portuguese or English names: `external_id` (`telefone`, `whatsapp`), which
    every row needs, `channel` (`canal`; `whatsapp` if there is none), `name` (`nome`),
    `email`, `phone_number` (`outro telefone`), the address (`rua`, `número`, `complemento`,
    `bairro`, `CEP`, `cidade`, `UF`), `notes` (`observações`), `status`, and as JSON
    `custom_attributes`, `preferences` (merged into what is known) and `interests`. Phones are
    normalised, so that one person is one lead however a file spells the number. An empty
    cell leaves the field as it is. Whoever was erased (LGPD) is not written down again by a
    file: `erased_person`.
    """
    return await intake.take(write, IMPORTER, store_id, file, is_dry_run=dry_run)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses=responses(StoreNotFoundError) | {200: _EXPORTED},
)
async def export_leads(read: Read, store_id: UUID) -> StreamingResponse:
    """Get a store's leads as the CSV that imports back unchanged.

    What a spreadsheet would take for a formula has an apostrophe before it. Who took the copy
    is written to the audit log.
    """
    slug = await export.opened(read.database, read.access, store_id)
    name = f"leads-{slug}-{clock.now():%Y-%m-%d}.csv"
    return StreamingResponse(
        export.lines(read.database, read.access, store_id),
        media_type=CSV,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
