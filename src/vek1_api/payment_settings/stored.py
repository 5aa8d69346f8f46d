"""Payment settings as they are stored; the defaults are those of a store without any."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from vek1_api.core.encryption import Keyring, last_four
from vek1_api.core.representation import Json
from vek1_api.payment_settings.schemas import PaymentSettingsRead
from vek1_api.payment_settings.secrets import API_KEY, WEBHOOK_SECRET, Previous, readable
from vek1_api.pix.keys import KeyType


@dataclass(frozen=True, slots=True)
class Stored:
    """A store's row of either table, the secrets sealed, or in the open from the front end."""

    store_id: UUID
    abacate_pay_api_key: str | None = field(default=None, repr=False)
    abacate_pay_dev_mode: bool = False
    abacate_pay_webhook_secret: str | None = field(default=None, repr=False)
    pix_enabled: bool = False
    pix_expires_in_minutes: int = 60
    cash_on_delivery_enabled: bool = True
    manual_pix_key: str | None = None
    manual_pix_key_type: str | None = None
    manual_pix_recipient: str | None = None
    manual_pix_city: str | None = None
    default_tax_id: str | None = None
    payment_instructions: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    previous_webhook_secrets: Previous = field(default_factory=list, repr=False)
    webhook_registered_at: datetime | None = None
    webhook_error: str | None = None

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row of a query; what is null in it has its default."""
        known = {name: value for name, value in row.items() if value is not None}
        return cls(**known)

    @property
    def key_type(self) -> KeyType | None:
        """The kind of the PIX key; none also for one that the front end alone wrote."""
        kinds = set(KeyType)
        return (
            KeyType(self.manual_pix_key_type) if self.manual_pix_key_type in kinds else None
        )

    def shown(self, keyring: Keyring, public_url: str) -> Json:
        """Return the settings as callers see them."""
        members = {
            name: getattr(self, name)
            for name in PaymentSettingsRead.model_fields
            if hasattr(self, name)
        }
        for name in (API_KEY, WEBHOOK_SECRET):
            sealed = getattr(self, name)
            secret = readable(keyring, sealed, name, self.store_id)
            members[f"{name}_set"] = bool(sealed)
            members[f"{name}_last_four"] = last_four(secret or "") or None
        members["webhook_url"] = webhook_url(public_url, self.store_id)
        members["manual_pix_key_type"] = self.key_type
        return PaymentSettingsRead(**members).model_dump_json()


COLUMNS = tuple(each.name for each in fields(Stored))


def webhook_url(public_url: str, store_id: UUID) -> str:
    """Return where AbacatePay reaches a store; the secret is no part of it."""
    return f"{public_url.rstrip('/')}/webhooks/abacatepay/{store_id}"
