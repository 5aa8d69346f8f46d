import re

import pytest
from hypothesis import given, strategies as st

from tests.pix import golden
from vek1_api.pix.br_code import BrCode, BrCodeError, StaticCode, parse, sealed

JOSE = StaticCode("11144477735", "José da Conceição", "São Paulo", 12345, "PED0001")

OURS = {
    golden.CPF: JOSE,
    golden.CNPJ: StaticCode(
        key="11222333000181",
        recipient="Loja Exemplo Ltda",
        city="Rio de Janeiro",
        amount_cents=1000,
        txid="VEK1ORDER000000000000001A",
    ),
    golden.CNPJ_WITH_LETTERS: StaticCode("12ABC34501DE35", "Loja Alfa", "Curitiba", 1, "A"),
    golden.PHONE: StaticCode("+5511912345678", "Empresa", "Brasília", 6666),
    golden.EMAIL_WITH_INFO: StaticCode(
        key="pix@example.com",
        recipient="Padaria do Zé",
        city="Belo Horizonte",
        amount_cents=150_000,
        txid="PEDIDO42",
        info="Pedido 42",
    ),
    golden.LEADING_ZEROS: StaticCode("11144477735", "loja", "Recife", txid="T0"),
}


def crc_bit_by_bit(text: str) -> str:
    register = 0xFFFF
    for byte in text.encode():
        for bit in range(7, -1, -1):
            top = (register >> 15) ^ (byte >> bit & 1)
            register = (register << 1 & 0xFFFF) ^ (0x1021 if top else 0)
    return f"{register:04X}"


def resealed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return sealed(text[:-8].replace(old, new))


@pytest.mark.parametrize(("text", "code"), OURS.items())
def test_our_codes_are_the_golden_ones(text: str, code: StaticCode) -> None:
    assert code.text() == text


@pytest.mark.parametrize(("text", "code"), OURS.items())
def test_what_we_encode_is_what_is_read(text: str, code: StaticCode) -> None:
    read = parse(text)
    assert (read.key, read.amount_cents) == (code.key, code.amount_cents)
    assert (read.txid, read.info, read.url) == (code.txid, code.info, None)
    assert not read.single_use


def test_the_manuals_static_code_is_read() -> None:
    assert parse(golden.MANUAL_STATIC) == BrCode(
        key="123e4567-e12b-12d1-a456-426655440000",
        url=None,
        info=None,
        recipient="Fulano de Tal",
        city="BRASILIA",
        amount_cents=None,
        txid="***",
        single_use=False,
    )


def test_the_manuals_dynamic_code_is_read() -> None:
    assert parse(golden.MANUAL_DYNAMIC) == BrCode(
        key=None,
        url="pix.example.com/8b3da2f39a4140d1a91abd93113bd441",
        info=None,
        recipient="Fulano de Tal",
        city="BRASILIA",
        amount_cents=None,
        txid="***",
        single_use=True,
    )


def test_templates_of_other_schemes_do_not_disturb() -> None:
    charge, recurrence = parse(golden.CHARGE_AND_RECURRENCE), parse(golden.RECURRENCE)
    assert charge.url == "pix.example.com/qr/v2/cobv/1e6c54d3ec9449b7a7fc53b6b0f998e7"
    assert (recurrence.key, recurrence.url) == (None, None)
    beside = golden.PHONE.replace("52040000", "27130009other.one52040000")
    assert parse(sealed(beside[:-8])) == parse(golden.PHONE)


def test_the_gui_is_read_in_either_case() -> None:
    assert (
        parse(resealed(golden.PHONE, "br.gov.bcb.pix", "BR.GOV.BCB.PIX")).key
        == "+5511912345678"
    )


@pytest.mark.parametrize("text", golden.ALL)
def test_every_changed_character_breaks_the_crc(text: str) -> None:
    for at, character in enumerate(text):
        changed = text[:at] + ("1" if character == "0" else "0") + text[at + 1 :]
        with pytest.raises(BrCodeError, match=r"\bCRC\b"):
            parse(changed)


@pytest.mark.parametrize("text", golden.ALL)
def test_every_cut_and_every_addition_breaks_the_crc(text: str) -> None:
    for at in range(len(text)):
        with pytest.raises(BrCodeError, match=r"\bCRC\b"):
            parse(text[:at])
    for addition in (" ", "\n", "0"):
        with pytest.raises(BrCodeError, match=r"\bCRC\b"):
            parse(text + addition)


def test_a_wrong_crc_is_told_with_the_right_one() -> None:
    wrong = golden.LEADING_ZEROS[:-4] + "F1C2"
    with pytest.raises(BrCodeError, match=r"^The CRC is F1C2, but the text gives 0094\.$"):
        parse(wrong)


def test_a_crc_in_small_letters_is_refused() -> None:
    with pytest.raises(BrCodeError, match="does not end with its CRC"):
        parse(golden.CPF[:-4] + "ee44")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("000201", "000202", "The code does not begin with 000201."),
        ("000201", "", "The code does not begin with 000201."),
        ("52040000", "", "Field 52 is missing."),
        ("5303986", "", "Field 53 is missing."),
        ("5303986", "5303840", "Field 53 is 840, not 986."),
        ("5802BR", "", "Field 58 is missing."),
        ("5802BR", "5802US", "Field 58 is US, not BR."),
        ("5917JOSE DA CONCEICAO", "", "Field 59 is missing."),
        ("5917JOSE DA CONCEICAO", "5900", "Field 59 is empty."),
        (
            "5917JOSE DA CONCEICAO",
            "5926" + "A" * 26,
            "Field 59, the recipient, is over 25 long.",
        ),
        ("6009SAO PAULO", "", "Field 60 is missing."),
        ("6009SAO PAULO", "6016" + "A" * 16, "Field 60, the city, is over 15 long."),
        ("62110507PED0001", "", "Field 62 is missing."),
        (
            "62110507PED0001",
            "62110607PED0001",
            "Field 62.05 is not a txid: 1 to 25 letters and digits, or ***.",
        ),
        (
            "62110507PED0001",
            "62110507PED 001",
            "Field 62.05 is not a txid: 1 to 25 letters and digits, or ***.",
        ),
        ("5406123.45", "54040.00", "Field 54, the amount, is 0.00, not one such as 12.90."),
        (
            "5406123.45",
            "540510,00",
            "Field 54, the amount, is 10,00, not one such as 12.90.",
        ),
        ("5406123.45", "540210", "Field 54, the amount, is 10, not one such as 12.90."),
        ("5406123.45", "5406123.455406123.45", "Field 54 occurs twice."),
        ("000201", "000201010213", "Field 01 is neither 11 nor 12."),
        ("br.gov.bcb.pix", "br.gov.bcb.pox", "No field of 26 to 51 is a PIX account"),
        (
            "0111111444777355",
            "0112111444777355",
            "Field 26.01 says it is 12 long, but only 11",
        ),
        ("26330014", "263300X4", "No field begins at character 1 of field 26."),
        (
            "6009SAO PAULO",
            "60\uff10\uff19SAO PAULO",
            "No field begins at character 96 of the code.",
        ),
    ],
)
def test_a_sealed_code_that_breaks_a_rule_says_which(
    old: str, new: str, message: str
) -> None:
    with pytest.raises(BrCodeError, match=re.escape(message)):
        parse(resealed(golden.CPF, old, new))


def test_a_code_with_key_and_address_is_refused() -> None:
    both = golden.CPF.replace("26330014", "26400014").replace("5204", "2503a.b5204", 1)
    with pytest.raises(BrCodeError, match="both a key and an address"):
        parse(sealed(both[:-8]))


def test_a_crc_inside_another_field_is_not_the_last_field() -> None:
    with pytest.raises(BrCodeError, match="field 63, is not the last field"):
        parse(sealed(golden.CPF[:-8] + "8012abcd"))


@pytest.mark.parametrize(
    "text", ["", "6304", "6304FFFF", "63041D0F", "00020163049B5D", "\ud800"]
)
def test_what_is_no_code_at_all_is_refused(text: str) -> None:
    with pytest.raises(BrCodeError):
        parse(text)


def test_names_are_cut_to_what_banks_take_and_stripped_after_it() -> None:
    code = StaticCode(
        "a@b.co", "Confeitaria São Jorge da  Praça", "Conceição do Mato Dentro"
    )
    read = parse(code.text())
    assert (read.recipient, read.city) == ("CONFEITARIA SAO JORGE DA", "CONCEICAO DO MA")
    assert len(read.recipient) == 24


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Açaí & Cia. — Nº 1", "ACAI & CIA. NO 1"),
        ("Weiß", "WEISS"),
        ("☕ Café\tdo\nZé ☕", "CAFE DO ZE"),
        ("D'Ávila", "D'AVILA"),
    ],
)
def test_names_become_plain_capitals(name: str, written: str) -> None:
    assert parse(StaticCode("a@b.co", name, "Ipê").text()).recipient == written


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (StaticCode("", "Zé", "Ipê"), "The key has 1 to 77 plain characters"),
        (StaticCode("a" * 78, "Zé", "Ipê"), "The key has 1 to 77 plain characters"),
        (StaticCode("1 2", "Zé", "Ipê"), "The key has 1 to 77 plain characters"),
        (StaticCode("ç", "Zé", "Ipê"), "The key has 1 to 77 plain characters"),
        (StaticCode("1\n", "Zé", "Ipê"), "The key has 1 to 77 plain characters"),
        (StaticCode("1", "☕", "Ipê"), "at least one letter"),
        (StaticCode("1", "Zé", "  "), "at least one letter"),
        (StaticCode("1", "Zé", "Ipê", 0), "The amount is over zero"),
        (StaticCode("1", "Zé", "Ipê", -1), "The amount is over zero"),
        (StaticCode("1", "Zé", "Ipê", 10**12), "The amount is over zero"),
        (StaticCode("1", "Zé", "Ipê", 1, ""), "The txid has 1 to 25"),
        (StaticCode("1", "Zé", "Ipê", 1, "A" * 26), "The txid has 1 to 25"),
        (StaticCode("1", "Zé", "Ipê", 1, "A-1"), "The txid has 1 to 25"),
        (StaticCode("1", "Zé", "Ipê", 1, "A\n"), "The txid has 1 to 25"),
        (StaticCode("1", "Zé", "Ipê", 1, "A", "☕"), "Field 02 is empty"),
        (
            StaticCode("a" * 77, "Zé", "Ipê", info="x"),
            "Field 26 would be 104 long, over 99",
        ),
    ],
)
def test_what_no_bank_would_take_is_not_encoded(code: StaticCode, message: str) -> None:
    with pytest.raises(BrCodeError, match=message):
        code.text()


def test_the_longest_key_and_the_longest_info_still_fit() -> None:
    email = "a" * 65 + "@example.com"
    assert parse(StaticCode(email, "Zé", "Ipê").text()).key == email
    evp = "123e4567-e12b-12d1-a456-426655440000"
    assert parse(StaticCode(evp, "Zé", "Ipê", info="x" * 37).text()).info == "x" * 37
    with pytest.raises(BrCodeError, match="over 99"):
        StaticCode(evp, "Zé", "Ipê", info="x" * 38).text()


def test_the_largest_amount_has_ten_digits_before_the_point() -> None:
    text = StaticCode("1", "Zé", "Ipê", 999_999_999_999).text()
    assert "54139999999999.99" in text
    assert parse(text).amount_cents == 999_999_999_999


def test_two_thousand_checksums_agree_with_a_bitwise_one_leading_zeros_too() -> None:
    texts = [StaticCode("11144477735", "Loja", "Recife", n).text() for n in range(1, 2001)]
    assert [text[-4:] for text in texts] == [crc_bit_by_bit(text[:-4]) for text in texts]
    assert sum(text[-4] == "0" for text in texts) > 100
    assert crc_bit_by_bit("123456789") == "29B1"


@given(
    name=st.text(),
    city=st.text(),
    cents=st.none() | st.integers(1, 999_999_999_999),
    txid=st.from_regex(r"[A-Za-z0-9]{1,25}", fullmatch=True),
    info=st.none() | st.text(max_size=20),
)
def test_whatever_is_encoded_is_ascii_and_reads_back(
    name: str, city: str, cents: int | None, txid: str, info: str | None
) -> None:
    try:
        text = StaticCode("11144477735", name, city, cents, txid, info).text()
    except BrCodeError:
        return
    read = parse(text)
    assert text.isascii()
    assert text.isprintable()
    assert (read.key, read.amount_cents, read.txid) == ("11144477735", cents, txid)
    assert 0 < len(read.recipient) <= 25
    assert 0 < len(read.city) <= 15
    assert read.recipient == read.recipient.strip()


@given(st.text(alphabet="0123456789ABCDEF*.", max_size=60))
def test_nothing_but_a_br_code_error_comes_of_a_sealed_text(fields: str) -> None:
    for text in (fields, sealed(fields), sealed(golden.CPF[:-8] + fields)):
        try:
            parse(text)
        except BrCodeError as error:
            assert str(error).endswith(".")  # noqa: PT017 - an error is allowed, not demanded.
