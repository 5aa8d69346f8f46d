"""Health for load balancers, metrics for Prometheus."""

from fastapi import APIRouter, Request, Response

from vek1_api.access.dependencies import resources_of
from vek1_api.ops import health
from vek1_api.ops.schemas import Live, Ready

router = APIRouter(tags=["Operations"])


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
