"""What the tests of leads write down about people."""

from typing import Any

from tests.people import Person

JOANA: dict[str, Any] = {
    "name": "Joana Ribeiro",
    "email": "joana@exemplo.com.br",
    "phone_number": "+5531999998888",
    "street_address": "Rua da Bahia",
    "address_number": "1148",
    "complement": "apto 302",
    "neighborhood": "Centro",
    "postal_code": "30160011",
    "city": "Belo Horizonte",
    "state": "MG",
    "custom_attributes": {"aniversario": "1990-05-12"},
    "interests": ["espresso"],
    "preferences": {"entrega": "motoboy"},
    "notes": "Prefere falar à tarde.",
    "status": "qualified",
}
MOBILE = "5531999998888"


async def add_lead(
    person: Person, store_id: str, external_id: str = MOBILE, **fields: Any
) -> Any:
    """Write down a new person on WhatsApp."""
    body = {"channel": "whatsapp", "external_id": external_id, **fields}
    return await person.post(f"/v1/stores/{store_id}/leads", body)
