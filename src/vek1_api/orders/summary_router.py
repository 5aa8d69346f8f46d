"""What a store sold."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read
from vek1_api.core.problems import responses
from vek1_api.orders import chart, summary
from vek1_api.orders.summary_schemas import Format, SalesSummary, SummaryQuery
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1", tags=["Orders"])

CSV, SVG = "text/csv", "image/svg+xml"
_TABLE = (
    "\ufefffrom;to;orders;revenue;average_ticket;cancelled\r\n"
    "2026-11-01;2026-11-01;3;224,40;74,80;0\r\n"
)
_CHART = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 420">…</svg>'
_SHOWN = {
    "description": "The summary; as CSV its periods, with a byte order mark, `;` and reais "
    "with a decimal comma; as SVG a bar for the revenue of each.",
    "content": {
        kind: {"schema": {"type": "string", "examples": [example]}, "example": example}
        for kind, example in ((CSV, _TABLE), (SVG, _CHART))
    },
}


@router.get(
    "/stores/{store_id}/sales-summary",
    response_model=SalesSummary,
    responses=responses(StoreNotFoundError) | {200: _SHOWN},
)
async def get_sales_summary(
    read: Read, store_id: UUID, query: Annotated[SummaryQuery, Query()]
) -> Response:
    """Get what a store sold, by day, week or month of its own calendar.

    Both days count. An order is a sale from its confirmation until it is cancelled, if it
    is. The calendar is that of the company's `settings.time_zone`, a name such as
    `America/Manaus`; without one it is `America/Sao_Paulo`.
    """
    body = await summary.get(read.database, read.access, store_id, query)
    if query.format is Format.JSON:
        return read.one(body)
    shown = SalesSummary.model_validate_json(body)
    if query.format is Format.SVG:
        return Response(chart.revenue(shown), media_type=SVG)
    name = f"vendas-{shown.from_}-{shown.to}.csv"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(summary.as_csv(shown), headers=disposition, media_type=CSV)
