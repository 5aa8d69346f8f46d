"""Importing leads that is answered at once."""

from typing import Any
from uuid import uuid4

import pytest

from tests.leads.csv_of import NOTHING, errors, leads, run_import, send, statuses, traces
from tests.leads.people_of import JOANA, MOBILE, add_lead
from tests.people import Person
from vek1_api.core.db import Driver

CPF = "529.982.247-25"


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def test_new_people_have_all_that_their_rows_say(ana: Person, store_id: str) -> None:
    content = (
        "Telefone;Nome;E-mail;Outro telefone;Endereço;Número;Complemento;Bairro;CEP;Cidade;"
        "UF;Observações;Situação;Atributos;Interesses;Preferências\n"
        "(31) 9999-8888;Joana Ribeiro; joana@exemplo.com.br ;31 3333-4444;Rua da Bahia;1148;"
        "apto 302;Centro;30160-011;Belo Horizonte;mg;Prefere à tarde.;qualified;"
        '"{""cpf"": ""529.982.247-25""}";"[""espresso""]";"{""entrega"": ""motoboy""}"\n'
        "+1 415 555-2671;;;;;;;;;;;;;;;\n"
    )

    answer = await run_import(ana, store_id, content)

    assert answer["dry_run"] is False
    assert answer["summary"] == NOTHING | {"created": 2}
    foreign, joana = await leads(ana, store_id)
    assert [row["lead_id"] for row in answer["rows"]] == [joana["id"], foreign["id"]]
    wanted = JOANA | {
        "external_id": MOBILE,
        "phone_number": "+553133334444",
        "custom_attributes": {"cpf": "52998224725"},
        "notes": "Prefere à tarde.",
        "channel": "whatsapp",
    }
    assert {name: joana[name] for name in wanted} == wanted
    assert (foreign["external_id"], foreign["name"]) == ("14155552671", None)
    events = await ana.get(f"/v1/leads/{joana['id']}/events")
    assert [(each["type"], each["data"]) for each in events["items"]] == [
        ("status_changed", {"from": "new", "to": "qualified"})
    ]


async def test_known_people_change_only_where_their_rows_differ(
    ana: Person, store_id: str
) -> None:
    joana = await add_lead(ana, store_id, MOBILE, **JOANA)
    visitor = await add_lead(ana, store_id, "user-1", channel="website", name="Rui")

    answer = await run_import(
        ana,
        store_id,
        "channel,external_id,name,city,status,preferences\n"
        'WhatsApp,31 99999-8888,,Contagem,customer,"{""troco"": ""sim"", ""x"": null}"\n'
        "website,user-1,Rui,,new,\n",
    )

    assert statuses(answer) == ["updated", "unchanged"]
    assert [row["lead_id"] for row in answer["rows"]] == [joana["id"], visitor["id"]]
    after = await ana.get(f"/v1/leads/{joana['id']}")
    assert after == joana | {
        "city": "Contagem",
        "status": "customer",
        "preferences": {"entrega": "motoboy", "troco": "sim"},
        "updated_at": after["updated_at"],
    }
    assert await ana.get(f"/v1/leads/{visitor['id']}") == visitor
    events = (await ana.get(f"/v1/leads/{joana['id']}/events"))["items"]
    assert [each["data"]["to"] for each in events] == ["customer", "qualified"]


async def test_bad_rows_say_what_is_wrong_and_hinder_no_other(
    ana: Person, store_id: str, db: Driver
) -> None:
    await add_lead(ana, store_id, MOBILE, name="Joana")
    header = "channel;external_id;name;email;cep;uf;phone_number;status;custom_attributes\n"
    rows = [
        ";;Sem número;;;;;;",
        "telegram;1;;;;;;;",
        f";5531911110000;{'y' * 201};joana;3016;XX;123;lost;[1]",
        ';5531911110001;;;;;;;"{""cpf"": ""11111111111""}"',
        ";5531911110002;;;;;;ganhou;",
        f";{MOBILE};Outra;;;;;ganhou;",
        ";5,53199E+12;;;;;;;",
        ";553188887777.0;Bia;;;;;;",
        ";+55 (31) 8888-7777;Bia de novo;;;;;;",
        ";bot-1;;;;;;;{",
    ]

    answer = await run_import(ana, store_id, header + "\n".join(rows))

    assert errors(answer) == {
        1: [("/external_id", "missing")],
        2: [("/channel", "enum")],
        3: [
            ("/name", "string_too_long"),
            ("/email", "string_pattern_mismatch"),
            ("/postal_code", "value_error"),
            ("/state", "value_error"),
            ("/phone_number", "value_error"),
            ("/custom_attributes", "dict_type"),
        ],
        4: [("/custom_attributes", "value_error")],
        5: [("/status", "unknown_status")],
        6: [("/status", "unknown_status")],
        7: [("/external_id", "phone_as_number")],
        9: [("/external_id", "duplicate")],
        10: [("/custom_attributes", "json_invalid")],
    }
    assert answer["summary"] == NOTHING | {"created": 1, "error": 9}
    found = await leads(ana, store_id)
    assert [(each["external_id"], each["name"]) for each in found] == [
        ("5531988887777", "Bia"),
        (MOBILE, "Joana"),
    ]
    assert (await traces(db, store_id))[1] == 2


async def test_status_of_the_company_is_known(ana: Person, store_id: str) -> None:
    company = await ana.get("/v1/company")
    settings = (company["settings"] or {}) | {"lead_statuses": ["ganhou"]}
    await ana.patch("/v1/company", {"settings": settings})

    answer = await run_import(ana, store_id, "telefone,status\n31 99999-8888,ganhou\n")

    assert statuses(answer) == ["created"]
    assert (await leads(ana, store_id))[0]["status"] == "ganhou"


async def test_the_same_id_on_two_channels_is_two_people(
    ana: Person, store_id: str
) -> None:
    content = f"canal,telefone\nwhatsapp,{MOBILE}\nwebsite,{MOBILE}\n,31 99999 8888\n"

    answer = await run_import(ana, store_id, content)

    assert statuses(answer) == ["created", "created", "error"]
    assert "Row 1 is" in answer["rows"][2]["errors"][0]["message"]


async def test_two_ids_of_one_person_give_the_later_row_an_error(
    ana: Person, store_id: str
) -> None:
    await add_lead(ana, store_id, MOBILE, aliases=["84738274928374@lid"])

    answer = await run_import(
        ana, store_id, f"telefone,nome\n84738274928374@lid,Jô\n{MOBILE},Joana\n"
    )

    assert statuses(answer) == ["updated", "error"]
    assert errors(answer) == {2: [("/external_id", "duplicate")]}
    [lead] = await leads(ana, store_id)
    assert lead["name"] == "Jô"


async def test_dry_run_tells_the_verdicts_and_writes_nothing(
    ana: Person, store_id: str, db: Driver
) -> None:
    await add_lead(ana, store_id, MOBILE, name="Joana")
    before = await traces(db, store_id)
    content = f"telefone,nome,status\n{MOBILE},Jô,\n31 98888-7777,Bia,lost\n,Ninguém,\n"

    dry = await run_import(ana, store_id, content, dry_run=True)

    assert dry["dry_run"] is True
    assert statuses(dry) == ["updated", "created", "error"]
    assert "lead_id" not in dry["rows"][1]
    assert await traces(db, store_id) == before
    done = await run_import(ana, store_id, content)
    assert (statuses(done), done["summary"]) == (statuses(dry), dry["summary"])


async def test_same_key_imports_once_and_repeats_the_answer(
    ana: Person, store_id: str
) -> None:
    headers = {"Idempotency-Key": f"import-{uuid4()}"}
    content = "telefone,nome\n31 98888-7777,Bia\n"

    first = await send(ana, store_id, content, headers=headers)
    second = await send(ana, store_id, content, headers=headers)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert len(await leads(ana, store_id)) == 1


async def test_import_is_one_entry_in_the_trail_without_names(
    ana: Person, store_id: str
) -> None:
    content = "telefone,nome,cep\n31 98888-7777,Bia,\n31 98888-6666,Rui,1\n"

    await run_import(ana, store_id, content)

    [entry] = [each for each in await ana.audit() if each["action"].startswith("lead")]
    assert entry["action"] == "leads.imported"
    assert (entry["actor_user_id"], entry["store_id"]) == (ana.user_id, store_id)
    assert entry["meta"] == {"summary": NOTHING | {"created": 1, "error": 1}}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("nome,e-mail\nBia,bia@exemplo.com.br\n", "missing"),
        ("telefone,whatsapp\n1,2\n", "duplicate_column"),
        ("telefone,signo\n1,leão\n", "unknown_column"),
    ],
)
async def test_file_without_the_right_columns_changes_nothing(
    ana: Person, store_id: str, db: Driver, content: str, code: str
) -> None:
    response = await send(ana, store_id, content)

    assert response.status_code == 422
    assert [error["code"] for error in response.json()["errors"]] == [code]
    assert await traces(db, store_id) == [0, 0, 0, 0, 0]


async def test_foreign_store_is_out_of_reach(
    bruno: Person, store_id: str, db: Driver
) -> None:
    response = await send(bruno, store_id, "telefone\n31 98888-7777\n")

    assert response.status_code == 404
    assert (
        await bruno.request("GET", f"/v1/stores/{store_id}/leads/export")
    ).status_code == (404)
    assert await traces(db, store_id) == [0, 0, 0, 0, 0]
