"""The test of a store's settings: AbacatePay is asked, and a code for the PIX key is made."""

from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.abacatepay import AbacatePayError
from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core.answers import Answer
from vek1_api.core.errors import UpstreamFailedError
from vek1_api.core.resources import Resources
from vek1_api.payment_settings import gateways, service
from vek1_api.payment_settings.rules import sample_problem
from vek1_api.payment_settings.schemas import ManualPixTest, PaymentSettingsTestResult
from vek1_api.payment_settings.secrets import API_KEY, readable
from vek1_api.payment_settings.stored import Stored

_MODES = {True: "test", False: "live"}


async def check(
    resources: Resources, access: Access, store_id: UUID
) -> PaymentSettingsTestResult:
    """Return whether a store can be paid; no transaction is open meanwhile.

    Raises ``UpstreamFailedError`` if AbacatePay does not say.
    """
    async with resources.database.driver() as driver:
        stored = await service.find(driver, access, store_id)
    key = readable(resources.keyring, stored.abacate_pay_api_key, API_KEY, store_id)
    if key is None:
        message = (
            "The key cannot be read any more: enter it again."
            if stored.abacate_pay_api_key
            else "There is no key of AbacatePay: make one in its panel and enter it."
        )
        return _result(stored, message, needs_attention=stored.pix_enabled)
    try:
        found = await gateways.abacatepay(resources).get_store(SecretStr(key))
    except AbacatePayError as error:
        if not error.needs_attention:
            message = f"AbacatePay could not be asked: {error.message}."
            raise UpstreamFailedError(message) from error
        message = (
            f"AbacatePay refuses the key ({error.message}): make a new one in its panel, "
            "with the permissions to read the store, make and read charges, refund them "
            "and manage webhooks, and enter it."
        )
        return _result(stored, message, needs_attention=True)
    mode = _MODES[stored.abacate_pay_dev_mode]
    message = f"AbacatePay takes the key, of its {mode} mode."
    return _result(stored, message, ok=True, store_name=found.name)


async def note(
    tx: AsyncConnection, access: Access, store_id: UUID, result: PaymentSettingsTestResult
) -> Answer:
    """Write that somebody tested, and return what they are told."""
    meta = {"ok": result.ok, "manual_pix_ok": result.manual_pix.ok}
    await audit_service.log_audit(
        tx,
        access,
        "payment_settings.tested",
        "store",
        store_id,
        store_id=store_id,
        meta=meta,
    )
    return Answer(200, result.model_dump_json(), has_etag=False)


def _result(
    stored: Stored,
    message: str,
    *,
    ok: bool = False,
    needs_attention: bool = False,
    store_name: str | None = None,
) -> PaymentSettingsTestResult:
    return PaymentSettingsTestResult(
        ok=ok,
        message=message,
        needs_attention=needs_attention,
        store_name=store_name,
        dev_mode=stored.abacate_pay_dev_mode,
        manual_pix=_manual(stored),
    )


def _manual(stored: Stored) -> ManualPixTest:
    kind, key = stored.key_type, stored.manual_pix_key
    recipient, city = stored.manual_pix_recipient, stored.manual_pix_city
    if not key:
        return ManualPixTest(ok=False, message="There is no PIX key to be paid to by hand.")
    if not (kind and recipient and city):
        message = "The PIX key needs its type, its recipient and its city."
        return ManualPixTest(ok=False, message=message)
    problem = sample_problem(key, kind, recipient, city)
    message = problem or "A code for the key can be made."
    return ManualPixTest(ok=problem is None, message=message)
