"""The columns that a file of leads may have, by Portuguese and English names."""

from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BeforeValidator, Json

from vek1_api.core.brazil import PhoneNumber, PostalCode, State
from vek1_api.core.inputs import Name, Note, Word
from vek1_api.imports import cells
from vek1_api.imports.columns import Column
from vek1_api.leads.schemas import (
    Attributes,
    Email,
    ExternalId,
    Interests,
    Preferences,
    Status,
)
from vek1_api.leads.status import Channel

_AS_JSON = AfterValidator(lambda value: orjson.dumps(value).decode())
_AttributesCell = Annotated[Json[Attributes], _AS_JSON]
_InterestsCell = Annotated[Json[Interests], _AS_JSON]
_PreferencesCell = Annotated[Json[Preferences], _AS_JSON]


def _lowered(cell: Any) -> Any:
    return cell.lower() if isinstance(cell, str) else cell


_ChannelCell = Annotated[Channel, BeforeValidator(_lowered)]

COLUMNS = (
    Column("channel", ("canal",), cells.word(_ChannelCell)),
    Column(
        "external_id",
        (
            "telefone",
            "whatsapp",
            "celular",
            "fone",
            "phone",
            "mobile",
            "número de whatsapp",
            "telefone celular",
            "id externo",
        ),
        cells.word(ExternalId),
    ),
    Column(
        "name",
        ("nome", "cliente", "nome completo", "nome do cliente", "contato", "full_name"),
        cells.text(Name),
    ),
    Column("email", ("e-mail", "correio eletrônico", "email_address"), cells.word(Email)),
    Column(
        "phone_number",
        (
            "outro telefone",
            "telefone fixo",
            "telefone de contato",
            "número de telefone",
            "telefone 2",
            "other_phone",
        ),
        cells.word(PhoneNumber),
    ),
    Column(
        "street_address",
        ("rua", "endereço", "logradouro", "street", "address"),
        cells.text(Name),
    ),
    Column(
        "address_number",
        ("número", "número do endereço", "house_number"),
        cells.text(Word),
    ),
    Column("complement", ("complemento", "address_2"), cells.text(Name)),
    Column("neighborhood", ("bairro", "neighbourhood", "district"), cells.text(Name)),
    Column(
        "postal_code",
        ("cep", "código postal", "zip", "zip_code", "postcode"),
        cells.word(PostalCode),
    ),
    Column("city", ("cidade", "município", "town"), cells.text(Name)),
    Column("state", ("uf", "estado"), cells.word(State)),
    Column(
        "notes",
        ("observações", "observação", "obs", "notas", "anotações", "comentários", "note"),
        cells.text(Note),
    ),
    Column("status", ("situação", "etapa", "estágio", "stage"), cells.text(Status)),
    Column(
        "custom_attributes",
        ("atributos", "atributos personalizados", "campos personalizados", "attributes"),
        cells.text(_AttributesCell),
    ),
    Column("interests", ("interesses",), cells.text(_InterestsCell)),
    Column("preferences", ("preferências",), cells.text(_PreferencesCell)),
)

JSON_FIELDS = frozenset({"custom_attributes", "interests", "preferences"})
"""Fields whose cells hold JSON; their values stay text until a row is applied."""
