"""The application: its routes, its errors, and what it holds open."""

import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from vek1_api import domains
from vek1_api.audit import denials
from vek1_api.core import docs, logging, openapi, problems
from vek1_api.core.middleware import FORM_OVERHEAD_BYTES, RequestEnvelope
from vek1_api.core.resources import Resources
from vek1_api.core.route_table import RouteTable
from vek1_api.imports.limits import MAX_BYTES as MAX_IMPORT_BYTES
from vek1_api.opening import open_resources
from vek1_api.ops.dashboard import JobsDashboard
from vek1_api.settings import Settings, get_settings

MAX_JSON_BYTES = 8 * 1024 * 1024


def create_app(
    settings: Settings | None = None, resources: Resources | None = None
) -> FastAPI:
    """Return the application; without ``resources`` it opens and closes its own."""
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.state.resources = resources or open_resources(settings)
        # What is alive now stays alive: the collector need not look at it again.
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        try:
            yield
        finally:
            await app.state.dashboard.close()
            if resources is None:
                await app.state.resources.close()

    app = FastAPI(
        title="vek1-api",
        version="1.0.0",
        lifespan=lifespan,
        docs_url=None,
        openapi_url=None,
        redoc_url=None,
        openapi_tags=domains.tags(),
        redirect_slashes=False,
        # FastAPI's own instrumentation costs each request some microseconds, even unused.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(app)
    denials.install(app)
    routers = domains.routers()
    app.router.routes.append(RouteTable(route for each in routers for route in each.routes))
    for router in routers:
        app.include_router(router)
    for sent in domains.webhooks():
        app.webhooks.include_router(sent)
    openapi.install(app)
    docs.install(app)
    app.state.dashboard = JobsDashboard(settings)
    app.add_route("/ops/jobs", lambda _request: RedirectResponse("/ops/jobs/"))
    app.mount("/ops/jobs", app.state.dashboard)
    app.add_middleware(
        RequestEnvelope,
        max_body_bytes=max(MAX_JSON_BYTES, settings.max_file_bytes + FORM_OVERHEAD_BYTES),
        max_import_bytes=MAX_IMPORT_BYTES + FORM_OVERHEAD_BYTES,
    )
    return app


def app_factory() -> FastAPI:
    """Return the application as uvicorn starts it: settings from the environment."""
    settings = get_settings()
    logging.configure(settings.log_level)
    return create_app(settings)
