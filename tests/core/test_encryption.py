import pytest
from pydantic import SecretStr

from vek1_api.core.encryption import Keyring, SealedForNobodyError, is_sealed, last_four

OLD, NEW = SecretStr("k" * 40), SecretStr("n" * 40)
PLACE = "store_payment_settings.abacate_pay_api_key:1"


def test_a_sealed_secret_opens_and_shows_nothing() -> None:
    sealed = Keyring([OLD]).seal("abc_prod_çã_123", PLACE)

    assert "abc_prod" not in sealed
    assert is_sealed(sealed)
    assert Keyring([OLD]).open(sealed, PLACE) == "abc_prod_çã_123"


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    keys = Keyring([OLD])

    assert keys.seal("same", PLACE) != keys.seal("same", PLACE)


def test_two_keys_are_valid_while_one_replaces_the_other() -> None:
    sealed = Keyring([OLD]).seal("secret", PLACE)
    both = Keyring([NEW, OLD])

    assert both.open(sealed, PLACE) == "secret"
    assert not both.is_current(sealed)
    assert both.is_current(both.seal("secret", PLACE))


@pytest.mark.parametrize(
    ("keys", "place"), [([NEW], PLACE), ([OLD], PLACE + "2"), ([], PLACE)]
)
def test_another_key_or_place_does_not_open_it(keys: list[SecretStr], place: str) -> None:
    sealed = Keyring([OLD]).seal("secret", PLACE)

    with pytest.raises(SealedForNobodyError):
        Keyring(keys).open(sealed, place)


def test_a_changed_secret_does_not_open() -> None:
    keys = Keyring([OLD])
    sealed = keys.seal("secret", PLACE)
    other = "A" if sealed[-1] != "A" else "B"

    for changed in (sealed[:-2] + other + sealed[-1], sealed[:30], sealed + "!"):
        with pytest.raises(SealedForNobodyError):
            keys.open(changed, PLACE)


def test_without_a_key_nothing_is_stored_in_the_open() -> None:
    with pytest.raises(SealedForNobodyError, match="VEK1_ENCRYPTION_KEYS"):
        Keyring([]).seal("secret", PLACE)


def test_what_the_front_end_wrote_in_the_open_is_read_as_it_is() -> None:
    assert Keyring([OLD]).open("abc_dev_1.2.3", PLACE) == "abc_dev_1.2.3"
    assert not is_sealed("abc_dev_1.2.3")


def test_a_short_secret_shows_nothing_of_itself() -> None:
    assert last_four("abc_prod_123456") == "3456"
    assert last_four("elevenchars") == ""
