"""What Prometheus asks for; one registry for each process."""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

REQUESTS = Counter(
    "vek1_http_requests_total",
    "Requests answered, by route template.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "vek1_http_request_seconds",
    "Time until an answer was complete.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
JOBS = Counter(
    "vek1_jobs_total", "Jobs ended, by how.", ["job", "outcome"], registry=REGISTRY
)
POOL_LENT = Gauge("vek1_db_pool_lent", "Database connections in use.", registry=REGISTRY)
POOL_SIZE = Gauge("vek1_db_pool_size", "Database connections allowed.", registry=REGISTRY)
QUEUE_JOBS = Gauge(
    "vek1_queue_jobs", "Jobs in the queue, by state.", ["state"], registry=REGISTRY
)
QUEUE_OLDEST_SECONDS = Gauge(
    "vek1_queue_oldest_seconds",
    "How long the oldest due job has waited.",
    registry=REGISTRY,
)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count an answer and the time that it took."""
    answered, taken = _of_request(method, route, status)
    answered.inc()
    taken.observe(seconds)


@lru_cache(maxsize=1024)
def _of_request(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    # Looking them up costs more than counting.
    answered = REQUESTS.labels(method, route, status)
    return answered, REQUEST_SECONDS.labels(method, route)
