"""The metrics of this process, and of the queue that all processes share."""

from prometheus_client import generate_latest

from vek1_api.core import metrics
from vek1_api.core.resources import Resources
from vek1_api.ops import queries


async def exposition(resources: Resources) -> bytes:
    """Return what Prometheus scrapes, with the gauges read just now."""
    pool = resources.database.pool_status()
    metrics.POOL_LENT.set(pool["lent"])
    metrics.POOL_SIZE.set(pool["size"])
    async with resources.database.driver() as driver:
        state = await queries.queue_state(driver)
    for name, count in (
        ("queued", state.queued),
        ("running", state.running),
        ("held", state.held),
    ):
        metrics.QUEUE_JOBS.labels(name).set(count)
    metrics.QUEUE_OLDEST_SECONDS.set(max(state.oldest_seconds, 0))
    return generate_latest(metrics.REGISTRY)
