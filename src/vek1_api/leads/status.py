"""Where a lead comes from, and how far it is."""

from enum import StrEnum


class Channel(StrEnum):
    """How a person talks to the store."""

    WHATSAPP = "whatsapp"
    WEBSITE = "website"


class LeadStatus(StrEnum):
    """How far a lead is; a company may add its own in `settings.lead_statuses`."""

    NEW = "new"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    CUSTOMER = "customer"
    LOST = "lost"
