"""Payment settings as callers see them. Secrets come in; what goes out is that they are set."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StringConstraints

from vek1_api.core.brazil import TaxId
from vek1_api.core.inputs import Input, Note, storable
from vek1_api.pix.keys import KeyType

MIN_SECRET_LENGTH = 32

_WRITE_ONLY = {"writeOnly": True}
ApiKey = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[!-~]{8,512}$"),
    Field(json_schema_extra=_WRITE_ONLY),
]
WebhookSecret = Annotated[
    str,
    # What needs no escaping in an address.
    StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._~-]{32,255}$"),
    Field(json_schema_extra=_WRITE_ONLY),
]
Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True),
    AfterValidator(storable),
]
Minutes = Annotated[
    int, Field(strict=True, ge=5, le=1440, description="How long a charge can be paid.")
]


class PaymentSettingsUpdate(Input):
    """How the store is paid: all of it. Only a secret that is left out stays as it is."""

    abacate_pay_api_key: ApiKey | None = Field(
        None,
        repr=False,
        description="Left out: kept; null: removed. Never answered.",
        examples=["abc_dev_4kQ2mZ8vT1xW6yB3nR5cJ7pL"],
    )
    abacate_pay_dev_mode: StrictBool = Field(
        default=False,
        description="Whether the key is one of the test mode.",
        examples=[True],
    )
    abacate_pay_webhook_secret: WebhookSecret | None = Field(
        None,
        repr=False,
        description="Left out: kept, or made if there is a key and none yet; null: removed. "
        "One that is replaced is taken for another 24 hours.",
    )
    pix_enabled: StrictBool = Field(
        default=False, description="Offer PIX through AbacatePay.", examples=[True]
    )
    pix_expires_in_minutes: Minutes = Field(60, examples=[60])
    cash_on_delivery_enabled: StrictBool = Field(default=True, examples=[True])
    manual_pix_key: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, examples=["financeiro@serraazul.com.br"]
    )
    manual_pix_key_type: KeyType | None = Field(
        None, description="Required with a key: it is never guessed.", examples=["email"]
    )
    manual_pix_recipient: Words | None = Field(
        None,
        description="Required with a key; payers see its first 25 letters, in capitals.",
        examples=["Torrefação Serra Azul"],
    )
    manual_pix_city: Words | None = Field(
        None,
        description="Required with a key; codes hold its first 15 letters.",
        examples=["Belo Horizonte"],
    )
    default_tax_id: TaxId | None = Field(
        None,
        description="A CPF or CNPJ; kept without its mask.",
        examples=["11222333000181"],
    )
    payment_instructions: Note | None = Field(
        None, examples=["Mande o comprovante por aqui assim que pagar."]
    )


class PaymentSettingsRead(BaseModel):
    """How a store is paid."""

    store_id: UUID
    abacate_pay_api_key_set: bool = Field(examples=[True])
    abacate_pay_api_key_last_four: str | None = Field(examples=["J7pL"])
    abacate_pay_dev_mode: bool = Field(examples=[True])
    abacate_pay_webhook_secret_set: bool = Field(examples=[True])
    abacate_pay_webhook_secret_last_four: str | None = Field(examples=["Zt4w"])
    webhook_url: str = Field(
        description="Where AbacatePay reaches the store; enter it there with the secret.",
        examples=["https://api.example.com/webhooks/abacatepay/8d0f…"],
    )
    webhook_registered_at: datetime | None = Field(
        description="Since when AbacatePay has this address and secret from us."
    )
    webhook_error: str | None = Field(
        description="Why it could not be told; enter both by hand then.", examples=[None]
    )
    pix_enabled: bool = Field(examples=[True])
    pix_expires_in_minutes: int = Field(examples=[60])
    cash_on_delivery_enabled: bool = Field(examples=[True])
    manual_pix_key: str | None
    manual_pix_key_type: KeyType | None
    manual_pix_recipient: str | None
    manual_pix_city: str | None
    default_tax_id: str | None
    payment_instructions: str | None
    created_at: datetime | None = Field(description="Null as long as nothing was set.")
    updated_at: datetime | None


class PaymentSettingsSaved(PaymentSettingsRead):
    """How a store is paid from now on."""

    abacate_pay_webhook_secret: str | None = Field(
        description="In full, only if this request had it made; it is never shown again.",
        examples=["q1Z8xT3vB6nM0kW5yR2cJ7pL4sD9fG_hA-eUoIZt4w"],
    )


class WebhookSecretRotate(Input):
    """How long the old secret is still taken."""

    overlap_hours: Annotated[int, Field(strict=True, ge=0, le=168)] = 24


class WebhookSecretResult(BaseModel):
    """The new secret, in full: it is never shown again."""

    abacate_pay_webhook_secret: str = Field(
        examples=["q1Z8xT3vB6nM0kW5yR2cJ7pL4sD9fG_hA-eUoIZt4w"]
    )
    webhook_url: str = Field(
        description="Where AbacatePay reaches the store; enter it there with the secret.",
        examples=["https://api.example.com/webhooks/abacatepay/8d0f…"],
    )
    previous_valid_until: datetime | None = Field(
        description="Until when the old one is taken; null if there was none."
    )


class ManualPixTest(BaseModel):
    """Whether PIX by hand would work."""

    ok: bool = Field(examples=[True])
    message: str = Field(examples=["A code for the key can be made."])


class PaymentSettingsTestResult(BaseModel):
    """Whether the store can be paid."""

    ok: bool = Field(description="AbacatePay takes the key.", examples=[True])
    message: str = Field(examples=["AbacatePay knows the key, of the test mode."])
    needs_attention: bool = Field(
        description="A person must change the settings.", examples=[False]
    )
    store_name: str | None = Field(examples=["Torrefação Serra Azul"])
    dev_mode: bool = Field(examples=[True])
    manual_pix: ManualPixTest
