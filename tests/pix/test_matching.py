import pytest

from tests.pix import receipts
from vek1_api.pix.matching import mentions_key, names_match, tax_id_fits

EVP = "123e4567-e12b-12d1-a456-426655440000"


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ("José da Silva", "JOSE DA SILVA"),
        ("José da Silva", "JOSE D SILVA"),
        ("José da Silva", "J SILVA"),
        ("José da Silva", "J*** SILVA"),
        ("José da Silva", "JOSE DA S***"),
        ("José da Silva", "JOSE *** SILVA"),
        ("José da Silva", "Jose da Silva 11144477735"),
        ("José da Silva", "12.345.678 JOSE DA SILVA"),
        ("José Carlos da Silva", "JOSE SILVA"),
        ("José Silva", "JOSE CARLOS DA SILVA"),
        ("Maria Aparecida dos Santos", "MARIA A. DOS SANTOS"),
        ("Maria Fernandes Lima", "MARIA FERN. LIMA"),
        ("Joana D'Ávila", "JOANA DAVILA"),
        ("Padaria do Zé Ltda", "PADARIA DO ZE"),
        ("Padaria do Zé", "PADARIA DO ZE LTDA ME"),
        ("Alfa S.A.", "ALFA S/A"),
        ("Padaria e Confeitaria São Jorge da Praça", "PADARIA E CONFEITARIA SAO"),
        ("Comércio de Roupas Marialva Ltda", "COMERCIO DE ROUPAS MARIAL"),
        ("Mercadinho", "mercadinho"),
        ("José de Sá", "JOSE DE SA"),
    ],
)
def test_one_name_is_known_in_its_spellings(known: str, shown: str) -> None:
    assert names_match(known, shown)
    assert names_match(shown, known)


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ("José da Silva", "João da Silva"),
        ("José da Silva", "José da Silveira"),
        ("José da Silva", "Maria José da Silva"),
        ("José da Silva", "SILVA JOSE"),
        ("José da Silva", "J*** S***"),
        ("José da Silva", "J S"),
        ("José da Silva", "***"),
        ("José da Silva", "M*** SILVA"),
        ("José da Silva", "JOSE"),
        ("José da Silva", ""),
        ("", ""),
        ("Ltda", "LTDA"),
        ("Ana Silva", "Anabela Silva"),
        ("José de Sá", "JOSE"),
        ("Maria Aparecida Santos", "MARIA B SANTOS"),
        ("Padaria do Zé Ltda", "Padaria da Ana Ltda"),
        ("Mercadinho", "Mercadinho Silva"),
        ("Padaria e Confeitaria São Jorge", "PADARIA E CONFEITARIA IPE"),
    ],
)
def test_two_names_are_told_apart(known: str, shown: str) -> None:
    assert not names_match(known, shown)
    assert not names_match(shown, known)


@pytest.mark.parametrize(
    ("shown", "fits"),
    [
        ("11144477735", True),
        ("***444777**", True),
        ("111******35", True),
        ("***445777**", False),
        ("*********35", False),
        ("***********", False),
        ("11222333000181", False),
    ],
)
def test_a_masked_tax_id_fits_where_enough_of_it_shows(shown: str, *, fits: bool) -> None:
    assert tax_id_fits("11144477735", shown) is fits


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("11144477735", "CPF 111.444.777-35"),
        ("11144477735", "Chave: 11144477735"),
        ("11144477735", "***.444.777-**"),
        ("11144477735", "•••.444.777-••"),
        ("11144477735", "XXX.444.777-XX"),
        ("11222333000181", "11.222.333/0001-81"),
        ("11222333000181", "**.222.333/0001-**"),
        ("12ABC34501DE35", "12.abc.345/01de-35"),
        ("+5511912345678", "+55 (11) 9****-5678"),
        ("+5511912345678", "+55 11 91234-5678"),
        ("+5511912345678", "(11) *****-5678"),
        ("+5511912345678", "11912345678"),
        ("+5511912345678", "Chave +5511912345678."),
        ("pix@example.com", "pix@****.com"),
        ("pix@example.com", "PIX@EXAMPLE.COM."),
        ("pix@example.com", "p***@example.com"),
        ("pix@example.com", "Chave Pix:pi*@e******.com"),
        (EVP, f"Chave aleatória {EVP}"),
        (EVP, EVP.upper()),
        (EVP, "123e4567-e12b-12d1-a456-\n426655440000"),
        (EVP, "123e4567-****-****-****-************"),
    ],
)
def test_a_key_is_found_as_banks_print_it(key: str, text: str) -> None:
    assert mentions_key(text, key)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("11144477735", "***.444.778-**"),
        ("11144477735", "***.***.***-35"),
        ("11144477735", "911144477735"),
        ("11144477735", "111444777350"),
        ("11222333000181", "11.222.333/0001-82"),
        ("11222333000181", "11.***.***/****-**"),
        ("+5511912345678", "+55 (11) 9****-5679"),
        ("+5511912345678", "+55 (11) 9****-****"),
        ("+5511912345678", "+55 (21) 9****-5678"),
        ("pix@example.com", "pix@example.com.br"),
        ("pix@example.com", "epix@example.com"),
        ("pix@example.com", "****@example.com"),
        ("pix@example.com", "p***@****.com"),
        ("pix@example.com", "pix@other.com"),
        (EVP, EVP.replace("4567", "4568")),
        (EVP, "********-****-****-****-********0000"),
        ("11144477735", ""),
    ],
)
def test_another_key_is_not_taken_for_it(key: str, text: str) -> None:
    assert not mentions_key(text, key)


def test_a_phone_is_not_found_in_the_cpf_of_the_same_digits() -> None:
    assert mentions_key("119.123.456-84", "11912345684")
    assert not mentions_key("119.123.456-84", "+5511912345684")
    assert not mentions_key("(11) 91234-5684", "11912345684")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (receipts.NUBANK, "padaria@example.com"),
        (receipts.BRADESCO, "+5511912345678"),
        (receipts.BANCO_DO_BRASIL, "11222333000181"),
        (receipts.INTER, EVP),
        (receipts.MERCADO_PAGO, "padaria@example.com"),
    ],
)
def test_the_stores_key_is_found_on_whole_receipts(text: str, key: str) -> None:
    assert mentions_key(text, key)
    assert not mentions_key(text, "+5521987654321")
    assert not mentions_key(text, "outra@example.com")
