from datetime import UTC, date, datetime

import pytest
from hypothesis import given, strategies as st

from tests.pix import receipts
from vek1_api.pix.matching import mentions_key, names_match, tax_id_fits
from vek1_api.pix.receipts import BRASILIA, ReceiptFacts, paid_at, payment_key, read_receipt

FACTS = {name: read_receipt(text) for name, text in receipts.ALL.items()}
IDS = {
    "nubank": "E18236120202611211732s14787e325d",
    "nubank in columns": "E18236120202611211732s14787e325d",
    "itau": "E60701190202611211732DY5K2B7X9QA",
    "bradesco": "E60746948202611211732A1B2C3D4E5F",
    "caixa": "E00360305202611211732abcdef01234",
    "banco do brasil": "E0000000020261121173200123456789",
    "inter": "E00416968202611211732Zk3mP0qWxYz",
    "mercado pago": "E10573521202611211732X1y2Z3w4V5u",
    "picpay": "E22896431202611211732ABCDE123fgh",
    "photo": "E18236120202611211732s14787e325d",
}

every_bank = pytest.mark.parametrize(("bank", "facts"), FACTS.items(), ids=FACTS)


@every_bank
def test_the_amount_is_read_and_no_fee_or_balance(bank: str, facts: ReceiptFacts) -> None:
    assert (bank, facts.amounts_cents) == (bank, (15990,))


@every_bank
def test_the_end_to_end_id_is_read_whole(bank: str, facts: ReceiptFacts) -> None:
    assert facts.end_to_end_ids == (IDS[bank],)
    assert paid_at(IDS[bank]) == datetime(2026, 11, 21, 17, 32, tzinfo=UTC)


@every_bank
def test_day_and_time_are_read_and_agree_with_the_id(
    bank: str, facts: ReceiptFacts
) -> None:
    assert facts.dates == (date(2026, 11, 21),)
    seconds = 0 if bank in {"bradesco", "inter", "mercado pago"} else 5
    assert datetime(2026, 11, 21, 14, 32, seconds, tzinfo=BRASILIA) in facts.moments
    assert {each.astimezone(UTC).hour for each in facts.moments} == {17}


@every_bank
def test_the_one_who_was_paid_is_named(bank: str, facts: ReceiptFacts) -> None:
    assert any(names_match("Padaria do Zé Ltda", name) for name in facts.recipient_names)
    assert not any(
        names_match("Maria Aparecida dos Santos", n) for n in facts.recipient_names
    )
    assert bank
    assert len(facts.recipient_names) == 1


@every_bank
def test_the_tax_id_of_the_one_paid_is_among_those_shown(
    bank: str, facts: ReceiptFacts
) -> None:
    assert bank
    assert any(tax_id_fits("11222333000181", shown) for shown in facts.tax_ids)
    assert not any(tax_id_fits("12ABC34501DE35", shown) for shown in facts.tax_ids)


@every_bank
def test_no_payment_made_is_taken_for_a_scheduled_one(
    bank: str, facts: ReceiptFacts
) -> None:
    assert bank
    assert not facts.scheduled


@pytest.mark.parametrize(
    "bank", ["nubank in columns", "itau", "bradesco", "banco do brasil"]
)
def test_our_txid_is_read_where_the_bank_prints_it(bank: str) -> None:
    assert FACTS[bank].txids == ("VEK000042",)


@pytest.mark.parametrize(
    "bank", ["nubank", "caixa", "inter", "mercado pago", "picpay", "photo"]
)
def test_no_txid_is_read_out_of_other_numbers(bank: str) -> None:
    assert FACTS[bank].txids == ()


def test_tax_ids_keep_their_masks() -> None:
    assert FACTS["caixa"].tax_ids == ("***982247**", "11222333000181")
    assert FACTS["picpay"].tax_ids == ("**2223330001**", "***982247**", "00000000000191")


def test_a_scheduled_payment_is_told_from_one_made() -> None:
    facts = read_receipt(receipts.SCHEDULED)
    assert facts.scheduled
    assert (facts.amounts_cents, facts.end_to_end_ids) == ((15990,), ())


def test_nothing_is_read_out_of_nothing() -> None:
    facts = read_receipt("bom dia! segue o comprovante 👍")
    assert facts == ReceiptFacts((), (), (), (), (), (), (), scheduled=False)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("R$ 1.234,56", (123456,)),
        ("R$1234,56", (123456,)),
        ("R$ 1.234.567,89", (123456789,)),
        ("RS 12,90", (1290,)),
        ("R5 12,90", (1290,)),
        ("R $ 12,90", (1290,)),
        ("R$ 12.90", (1290,)),
        ("R$ 1,234.56", (123456,)),
        ("R$\u00a012,90", (1290,)),
        ("R$ 50", (5000,)),
        ("R$ 1.500", (150000,)),
        ("Valor: 12,90", (1290,)),
        ("Valor\n12,90", (1290,)),
        ("Valor pago R$ 10,00, dia 21", (1000,)),
        ("R$ 50, 21/11/2026", (5000,)),
        ("Pix sem taxa\nR$ 12,90", (1290,)),
        ("R$ 12,90\nValor: R$ 12,90", (1290,)),
        ("Valor Tarifa\nR$ 12,90 R$ 0,00", (1290,)),
        ("Valor R$ 12,90 Tarifa R$ 1,50", (1290,)),
        ("Valor da tarifa: 1,50", ()),
        ("Valor do IOF\nR$ 1,50", ()),
        ("Tarifa R$ 0,00", ()),
        ("Tarifa\nR$ 1,50", ()),
        ("Saldo: R$ 1.023,45", ()),
        ("Limite Pix R$ 5.000,00", ()),
        ("R$ 0,00", ()),
        ("Porto Alegre RS 90010-000", ()),
        ("Porto Alegre/RS 90010,", ()),
        ("Agência 0001 Conta 12345,67", ()),
        ("Valor em 21.11.2026", ()),
        ("Valor 14:32:05", ()),
        ("R$ 21/11/2026", ()),
        ("PEDRS 12,90", ()),
        ("R$ 1.234,5", ()),
    ],
)
def test_amounts_are_told_from_what_looks_like_them(
    text: str, cents: tuple[int, ...]
) -> None:
    assert read_receipt(text).amounts_cents == cents


@pytest.mark.parametrize(
    "written",
    [
        "21/11/2026",
        "21/11/26",
        "21-11-2026",
        "21.11.2026",
        "2026-11-21",
        "21 NOV 2026",
        "21/nov/2026",
        "21 nov. 2026",
        "21 de novembro de 2026",
        "2l/ll/2O26",
        "2I NOV 2026",
    ],
)
def test_a_day_is_read_however_it_is_written(written: str) -> None:
    facts = read_receipt(f"Data {written}.")
    assert (facts.dates, facts.moments) == ((date(2026, 11, 21),), ())


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("21/11/2026 14:32:05", 5),
        ("21/11/2026 - 14:32:05", 5),
        ("21/11/2026 às 14:32", 0),
        ("21 NOV 2026 - 14:32:05", 5),
        ("21 de novembro de 2026 às 14h32", 0),
        ("21 de novembro de 2026, 14h32m05s", 5),
        ("2026-11-21T14:32:05", 5),
        ("Data: 21/11/2026\nHora: 14:32:05", 5),
    ],
)
def test_a_time_beside_the_day_is_brasilias(written: str, seconds: int) -> None:
    wanted = datetime(2026, 11, 21, 17, 32, seconds, tzinfo=UTC)
    assert read_receipt(written).moments == (wanted,)


@pytest.mark.parametrize(
    "text",
    ["31/02/2026", "00/11/2026", "21/13/2026", "12-34-56", "1234/11/20261", "11.222.333"],
)
def test_no_day_is_read_out_of_other_numbers(text: str) -> None:
    assert read_receipt(text).dates == ()


@pytest.mark.parametrize(
    "text",
    [
        "E18236120 20261121 1732 s14787e325d",
        "ID da transaçãoE18236120202611211732s14787e325d",
        "E18236120202611211732s14\n787e325d\nOrigem",
        "E1823612O2O26112I1732s14787e325d",
        "\u200bE18236120202611211732\u00ads14787e325d",
    ],
)
def test_an_id_is_read_through_breaks_and_misreadings(text: str) -> None:
    assert read_receipt(text).end_to_end_ids == ("E18236120202611211732s14787e325d",)


@pytest.mark.parametrize(
    "text",
    [
        "E18236120202611211732s14787e325",
        "E18236120202611211732s14787e325\nValor",
        "E18236120202611211732s14787e325d9",
        "E18236120202613211732s14787e325d",
        "E18236120202611212532s14787e325d",
        "E18236120199911211732s14787e325d",
        "D18236120202611211732s14787e325d",
        "AE18236120202611211732s14787e325d",
    ],
)
def test_what_is_no_whole_id_is_not_read(text: str) -> None:
    assert read_receipt(text).end_to_end_ids == ()


def test_two_readings_of_one_receipt_have_one_key() -> None:
    first, second = "E18236120202611211732s1O787el25d", "E18236120202611211732S10787e125D"
    assert payment_key(first) == payment_key(second)
    assert read_receipt(f"{first}\n{second}").end_to_end_ids == (first,)
    assert payment_key(first) != payment_key(IDS["nubank"])


@pytest.mark.parametrize("text", ["", "E", "E18236120202613211732s14787e325d"])
def test_no_minute_is_named_by_what_is_no_id(text: str) -> None:
    assert paid_at(text) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Para: Maria Brizza", ("Maria Brizza",)),
        ("Favorecido: JOSE D SILVA", ("JOSE D SILVA",)),
        ("Beneficiário\nJosé da Silva\nPara\nJosé da Silva", ("José da Silva",)),
        ("Dados do recebedor\nNome\nJosé da Silva", ("José da Silva",)),
        ("Quem recebeu\nInstituição: Banco X\nNome: J*** SILVA", ("J*** SILVA",)),
        ("Recebedor\nOrigem\nNome: Maria", ()),
        ("Para dúvidas, fale com a ouvidoria", ()),
        ("Para mais informações acesse o site", ()),
        ("Destino\nAgência 0001\nConta 123\nCPF 1", ()),
    ],
)
def test_names_are_read_by_their_labels(text: str, names: tuple[str, ...]) -> None:
    assert read_receipt(text).recipient_names == names


@given(st.text(alphabet="E0123456789OlI RS$,./:-*\nvalorde@nX", max_size=400))
def test_no_text_is_too_odd_to_read(text: str) -> None:
    facts = read_receipt(text)
    assert all(amount > 0 for amount in facts.amounts_cents)
    assert all(len(each) == 32 and paid_at(each) for each in facts.end_to_end_ids)


@pytest.mark.parametrize(
    "text",
    [
        *("a" * 10**5, "E1" * 10**5, "R$ 1" * 10**5, "Para: A\n" * 10**4, "valor " * 10**4),
        *("\n" * 10**5, "1.234" * 10**4, "CPF " * 10**4, "21/11/2026 " * 10**4),
        f"Para: {'A*' * 5_000}B",
    ],
    ids=range(10),
)
@pytest.mark.timeout(2)
def test_a_hostile_text_is_read_in_no_time(text: str) -> None:
    facts = read_receipt(text)
    assert facts.end_to_end_ids == ()
    assert not mentions_key(text, "pix@example.com")
    assert not any(
        names_match("Anna Banana da Anaconda", each) for each in facts.recipient_names
    )
