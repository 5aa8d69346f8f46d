"""Phones that look alike: who is one person, and who is not, of every area code."""

import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from vek1_api.core.brazil import phone_number
from vek1_api.core.db import Driver

AREA_CODES = [
    *(11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 24, 27, 28, 31, 32, 33, 34, 35, 37, 38),
    *(41, 42, 43, 44, 45, 46, 47, 48, 49, 51, 53, 54, 55, 61, 62, 63, 64, 65, 66, 67, 68),
    *(69, 71, 73, 74, 75, 77, 79, 81, 82, 83, 84, 85, 86, 87, 88, 89, 91, 92, 93, 94, 95),
    *(96, 97, 98, 99),
]
"""Of Anatel: all 67."""

SPELLINGS = (
    "55{area}{rest}",
    "+55{area}{rest}",
    "+55 ({area}) {rest}",
    "55{area}{rest}@s.whatsapp.net",
    "55{area}{rest}:7@c.us",
    "{area}{rest}",
    "({area}) {rest}",
    "0{area}{rest}",
    "0055{area}{rest}",
)
FOREIGN = [
    phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS - {"BR"})
    for kind in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE,
    )
    if (example := phonenumbers.example_number_for_type(region, kind))
]

ANYTHING = settings(
    max_examples=40,
    deadline=None,
    # The database is the same for all examples, and nothing is written.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

PHONES = st.from_regex(
    r"\A(?:\+|00|0)?[0-9 ().-]{1,18}(?::[0-9]{1,2})?(?:@(?:s\.whatsapp\.net|c\.us|lid|g\.us))?\Z"
)
RAW = st.one_of(
    PHONES,
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)
digits = st.text("0123456789", min_size=7, max_size=7)
areas = st.sampled_from(AREA_CODES)


async def canonical(driver: Driver, *raw: str) -> list[str]:
    """Return who the ids are on WhatsApp."""
    statement = (
        "SELECT vek1_api.contact_id('whatsapp', id)"
        " FROM unnest($1::text[]) WITH ORDINALITY AS given (id, place) ORDER BY place"
    )
    return [row[0] for row in await driver.fetch(statement, list(raw))]


async def test_mobile_is_one_person_in_every_area_code(db: Driver) -> None:
    for area in AREA_CODES:
        spelled = [
            spelling.format(area=area, rest=rest)
            for rest in ("987654321", "87654321", "9 8765-4321", "8765-4321")
            for spelling in SPELLINGS
            if "@" not in spelling or rest.isdigit()
        ]

        assert set(await canonical(db, *spelled)) == {f"55{area}987654321"}


async def test_landline_gets_no_ninth_digit_in_any_area_code(db: Driver) -> None:
    for area in AREA_CODES:
        spelled = [
            spelling.format(area=area, rest=f"{first}1234567")
            for first in "2345"
            for spelling in SPELLINGS
        ]

        found = await canonical(db, *spelled)

        wanted = [f"55{area}{first}1234567" for first in "2345" for _ in SPELLINGS]
        assert found == wanted


async def test_area_code_that_does_not_exist_is_left_alone(db: Driver) -> None:
    others = [f"{area}987654321" for area in range(10, 100) if area not in AREA_CODES]

    assert await canonical(db, *others) == others


@pytest.mark.parametrize("first", "6789")
async def test_mobiles_of_every_area_are_those_of_phonenumbers(
    db: Driver, first: str
) -> None:
    """Anatel gives mobiles 9 and then 6 to 9; ``phonenumbers`` knows which exist."""
    national = [f"{area}9{first}1234567" for area in AREA_CODES]
    parsed = [phonenumbers.parse(each, "BR") for each in national]
    valid = [
        phonenumbers.format_number(each, phonenumbers.PhoneNumberFormat.E164)
        for each in parsed
        if phonenumbers.is_valid_number(each)
    ]
    assert len(valid) == len(AREA_CODES)

    without_ninth = [each[:5] + each[6:] for each in valid]

    assert await canonical(db, *valid) == [each.removeprefix("+") for each in valid]
    assert await canonical(db, *without_ninth) == [each[1:] for each in valid]
    assert [phone_number(each) for each in without_ninth] == valid


async def test_foreign_number_is_its_own_person_in_every_country(db: Driver) -> None:
    plain = [number.removeprefix("+") for number in FOREIGN]

    typed = await canonical(db, *FOREIGN)
    written = await canonical(db, *(f"{each}@s.whatsapp.net" for each in plain))

    assert typed == written
    assert [each.removeprefix("+") for each in typed] == plain
    assert len(set(typed)) == len(set(plain))


@pytest.mark.timeout(60)  # Thousands of spellings.
@ANYTHING
@given(st.lists(RAW, min_size=50, max_size=50))
async def test_canonical_form_is_its_own_canonical_form(db: Driver, raw: list[str]) -> None:
    once = await canonical(db, *raw)

    assert await canonical(db, *once) == once


@ANYTHING
@given(areas, digits, st.sampled_from("23456789"))
async def test_any_brazilian_number_is_one_person_in_every_spelling(
    db: Driver, area: int, rest: str, first: str
) -> None:
    short = first + rest
    found = {
        who
        for number in ([short, f"9{short}"] if first in "6789" else [short])
        for who in await canonical(
            db, *(spelling.format(area=area, rest=number) for spelling in SPELLINGS)
        )
    }

    assert found == {f"55{area}{'9' * (first in '6789')}{short}"}


@ANYTHING
@given(areas, areas, digits, digits)
async def test_two_numbers_are_two_people(
    db: Driver, area: int, other_area: int, rest: str, other_rest: str
) -> None:
    found = await canonical(db, f"{area}99{rest}", f"55{other_area}9{other_rest}")

    assert (len(set(found)) == 1) == ((area, rest) == (other_area, other_rest))
