"""What an ERP is sent, for the OpenAPI document: nothing is served here."""

from typing import Annotated

from fastapi import APIRouter, Header

from vek1_api.stock.deliveries.messages import StockMessage

webhooks = APIRouter(tags=["Stock and ERPs"])


@webhooks.post("stock", operation_id="stock_changed", status_code=204)
def stock_changed(
    body: StockMessage,
    webhook_id: Annotated[
        str, Header(description="The same however often the message is sent.")
    ],
    webhook_timestamp: Annotated[
        str, Header(description="Unix seconds of this attempt; refuse what is old.")
    ],
    webhook_signature: Annotated[
        str,
        Header(
            description="Standard Webhooks: `v1,` and base64; two while a secret rotates."
        ),
    ],
) -> None:
    """Tell that a product's stock changed, other than by what the ERP itself sent.

    Sent to the store's `outbound_url`, at least once, in the order of each product's
    `sequence`. Any 2xx within ten seconds takes it; redirects are not followed. Anything else
    is tried again for a day, `Retry-After` is honoured, 410 switches the messages off.
    """
