"""The domains of the house, in one place for ``main``, ``worker`` and the migrations."""

from importlib import import_module

from fastapi import APIRouter

_ROUTERS = (
    "companies.router",
    "stores.router",
    "agents.router",
    "documents.router",
    "products.router",
    "products.import_router",
    "product_files.router",
    "imports.router",
    "leads.router",
    "leads.import_router",
    "conversations.router",
    "orders.router",
    "orders.summary_router",
    "payment_settings.router",
    "payments.router",
    "payments.webhook_router",
    "proofs.router",
    "privacy.router",
    "audit.router",
    "ops.router",
)
_WITH_JOBS = (
    "files",
    "products",
    "documents",
    "imports",
    "product_files",
    "leads",
    "orders",
    "payment_settings",
    "payments",
    "inbox",
    "proofs",
    "privacy",
    "ops",
)


def routers() -> list[APIRouter]:
    """Return the router of every domain, in the order of the documentation."""
    return [import_module(f"vek1_api.{name}").router for name in _ROUTERS]


def load_jobs() -> None:
    """Import every domain's handlers, which register themselves."""
    for name in _WITH_JOBS:
        import_module(f"vek1_api.{name}.jobs")
