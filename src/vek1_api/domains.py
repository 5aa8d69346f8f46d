"""The domains of the house, in one place for ``main``, ``worker`` and the migrations."""

from importlib import import_module

from fastapi import APIRouter

_WITH_ROUTES = ("companies", "stores", "agents", "documents", "audit", "ops")
_WITH_JOBS = ("files", "documents", "ops")


def routers() -> list[APIRouter]:
    """Return the router of every domain, in the order of the documentation."""
    return [import_module(f"vek1_api.{name}.router").router for name in _WITH_ROUTES]


def load_jobs() -> None:
    """Import every domain's handlers, which register themselves."""
    for name in _WITH_JOBS:
        import_module(f"vek1_api.{name}.jobs")
