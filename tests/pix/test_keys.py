import pytest

from vek1_api.pix.keys import KeyType, pix_key

EVP = "123e4567-e12b-12d1-a456-426655440000"


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [
        (KeyType.CPF, "111.444.777-35", "11144477735"),
        (KeyType.CPF, " 11144477735 ", "11144477735"),
        (KeyType.CPF, "11912345684", "11912345684"),
        (KeyType.CNPJ, "11.222.333/0001-81", "11222333000181"),
        (KeyType.CNPJ, "12.abc.345/01de-35", "12ABC34501DE35"),
        (KeyType.CNPJ, "A1B2C3D4E5F668", "A1B2C3D4E5F668"),
        (KeyType.CNPJ, "00ABCDEF000157", "00ABCDEF000157"),
        (KeyType.CNPJ, "ZZZZZZZZZZZZ62", "ZZZZZZZZZZZZ62"),
        (KeyType.CNPJ, "K1M2N3P4000175", "K1M2N3P4000175"),
        (KeyType.CPF, "529.982.247-25", "52998224725"),
        (KeyType.PHONE, "(11) 91234-5684", "+5511912345684"),
        (KeyType.PHONE, "11912345684", "+5511912345684"),
        (KeyType.PHONE, "+55 31 99999-8888", "+5531999998888"),
        (KeyType.PHONE, "5531999998888", "+5531999998888"),
        (KeyType.PHONE, "55 99999-8888", "+5555999998888"),
        (KeyType.EMAIL, "Pix@Example.COM", "pix@example.com"),
        (KeyType.EMAIL, "loja+pix@sub.example.com.br", "loja+pix@sub.example.com.br"),
        (KeyType.EVP, EVP.upper(), EVP),
        (KeyType.EVP, EVP.replace("-", ""), EVP),
    ],
)
def test_a_key_becomes_what_the_directory_holds(
    kind: KeyType, typed: str, stored: str
) -> None:
    assert pix_key(kind, typed) == stored
    assert pix_key(kind, stored) == stored


@pytest.mark.parametrize(
    ("kind", "typed", "message"),
    [
        (KeyType.CPF, "111.444.777-36", "is not a CPF: check its eleven digits"),
        (KeyType.CPF, "11111111111", "is not a CPF: check its eleven digits"),
        (KeyType.CPF, "11222333000181", "is not a CPF: check its eleven digits"),
        (KeyType.CPF, "", "is not a CPF: check its eleven digits"),
        (
            KeyType.CNPJ,
            "11144477735",
            "is not a CNPJ: check its fourteen digits or letters",
        ),
        (
            KeyType.CNPJ,
            "00000000000000",
            "is not a CNPJ: check its fourteen digits or letters",
        ),
        (
            KeyType.CNPJ,
            "12ABC34501DE36",
            "is not a CNPJ: check its fourteen digits or letters",
        ),
        (
            KeyType.CNPJ,
            "12ABC34501DEA5",
            "is not a CNPJ: check its fourteen digits or letters",
        ),
        (KeyType.PHONE, "(11) 1234-5678", "is not a mobile phone"),
        (KeyType.PHONE, "(11) 9123-4567", "is not a mobile phone"),
        (KeyType.PHONE, "91234-5678", "is not a mobile phone"),
        (KeyType.PHONE, "(23) 91234-5678", "is not a phone number that can exist"),
        (KeyType.PHONE, "+1 212 555 0100", "is not a mobile phone"),
        (KeyType.PHONE, "(20) 91234-5678", "is not a mobile phone"),
        (
            KeyType.EMAIL,
            "pix.example.com",
            "is not an e-mail address of up to 77 characters",
        ),
        (KeyType.EMAIL, "pix@localhost", "is not an e-mail address of up to 77 characters"),
        (
            KeyType.EMAIL,
            "a b@example.com",
            "is not an e-mail address of up to 77 characters",
        ),
        (KeyType.EMAIL, "a" * 66 + "@example.com", "is not an e-mail address of up to 77"),
        (KeyType.EVP, EVP[:-1], "is not a random key"),
        (KeyType.EVP, f"{{{EVP}}}", "is not a random key"),
        (KeyType.EVP, f"urn:uuid:{EVP}", "is not a random key"),
    ],
)
def test_what_is_no_such_key_is_refused(kind: KeyType, typed: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pix_key(kind, typed)


@pytest.mark.parametrize("kind", KeyType)
@pytest.mark.parametrize(
    "typed",
    [
        "１１１４４４７７７３５",  # noqa: RUF001 - full-width digits are the case.
        "11144477735\n",
        "pix@example.com\n",
        "pix@exämple.com",
        "+5511912345678\r\n",
        f"{EVP}\n",
        "11222333000181\x00",
        "12\u017fBC34501DE35",
        "\u00a011144477735",
    ],
)
def test_hidden_and_foreign_characters_are_refused(kind: KeyType, typed: str) -> None:
    with pytest.raises(ValueError, match="has characters that no PIX key has"):
        pix_key(kind, typed)


def test_the_longest_e_mail_is_taken() -> None:
    email = "a" * 65 + "@example.com"
    assert len(email) == 77
    assert pix_key(KeyType.EMAIL, email) == email
