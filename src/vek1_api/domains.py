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
    "stock.router",
    "stock.erp_router",
    "stock.settings.router",
    "stock.deliveries.router",
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
_WITH_ABOUT = ("orders.router",)
_WITH_WEBHOOKS = ("stock.deliveries.webhook",)
_WITH_JOBS = (
    "files",
    "products",
    "stock",
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


def tags() -> list[dict[str, str]]:
    """Return what domains say of themselves at length, for the documentation."""
    modules = [import_module(f"vek1_api.{name}") for name in _WITH_ABOUT]
    return [
        {"name": module.router.tags[0], "description": module.ABOUT} for module in modules
    ]


def webhooks() -> list[APIRouter]:
    """Return what is sent to others, for the documentation."""
    return [import_module(f"vek1_api.{name}").webhooks for name in _WITH_WEBHOOKS]


def load_jobs() -> None:
    """Import every domain's handlers, which register themselves."""
    for name in _WITH_JOBS:
        import_module(f"vek1_api.{name}.jobs")
