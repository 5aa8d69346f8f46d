"""Health for load balancers, metrics for Prometheus."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from vek1_api.access.dependencies import OpsCall, resources_of
from vek1_api.ops import health, metrics
from vek1_api.ops.schemas import Live, Ready

router = APIRouter(tags=["Operations"])


_SAMPLE = 'vek1_http_requests_total{method="GET",route="/v1/stores",status="200"} 42.0\n'


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"example": _SAMPLE}}}},
)
async def get_metrics(call: OpsCall) -> Response:
    """Get the metrics of this process and of the queue, as Prometheus reads them."""
    return Response(await metrics.exposition(call), media_type=CONTENT_TYPE_LATEST)


@router.get("/health/live")
async def get_liveness() -> Live:
    """Tell whether the process answers."""
    return Live(status="ok")


@router.get(
    "/health/ready", responses={503: {"model": Ready, "description": "A part is down."}}
)
async def get_readiness(request: Request, response: Response) -> Ready:
    """Tell whether each part is there: database, indexes, storage, embedder, queue."""
    found = await health.ready(resources_of(request))
    if found.status == "failed":
        response.status_code = 503
    return found
