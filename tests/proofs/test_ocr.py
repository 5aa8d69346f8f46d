"""Photos of receipts, with the optional part: what the desk needs is read from each bank's."""

from importlib.util import find_spec

import pytest

from tests.conftest import RunJobs
from tests.pix import receipts
from tests.proofs.counter import Counter, receipt
from tests.proofs.rendered import FONTS, photo, scan
from vek1_api.files.filetypes import FileType
from vek1_api.pix.matching import names_match
from vek1_api.pix.receipts import payment_key, read_receipt
from vek1_api.proofs.errors import UnreadableError
from vek1_api.proofs.pictures import RapidOcr
from pathlib import Path

pytestmark = [
    pytest.mark.skipif(find_spec("rapidocr") is None, reason="make install-ocr"),
    # A model on one processor needs seconds for a page.
    pytest.mark.slow,
    pytest.mark.timeout(120),
]
PAYEE = "Padaria do Zé Ltda"


@pytest.mark.parametrize("bank", receipts.ALL)
async def test_amount_id_recipient_and_date_are_read(bank: str, tmp_path: Path) -> None:
    text, number = receipts.ALL[bank], list(receipts.ALL).index(bank)
    kind = ("JPEG", "PNG", "WEBP")[number % 3]
    path = tmp_path / "photo"
    path.write_bytes(photo(text, kind, FONTS[number % len(FONTS)]))

    said = read_receipt(await RapidOcr().text(path, FileType.JPEG))

    wanted = read_receipt(text)
    assert said.amounts_cents == wanted.amounts_cents
    assert list(map(payment_key, said.end_to_end_ids)) == list(
        map(payment_key, wanted.end_to_end_ids)
    )
    assert said.dates == wanted.dates
    has_name = any(names_match(PAYEE, name) for name in wanted.recipient_names)
    assert any(names_match(PAYEE, name) for name in said.recipient_names) == has_name


async def test_photo_ends_on_the_desk(counter: Counter, run_jobs: RunJobs) -> None:
    order_id = await counter.order()
    await counter.prove(order_id, photo(receipt()))
    await run_jobs()

    proofs = await counter.proofs(order_id)

    assert proofs["versions"][0]["reading"] == "read"
    assert (proofs["desk"]["risk"], proofs["desk"]["reasons"]) == ("low", [])


async def test_pdf_that_holds_a_picture_is_read_as_one(
    counter: Counter, run_jobs: RunJobs
) -> None:
    order_id = await counter.order()
    await counter.prove(order_id, scan(receipt()))
    await run_jobs()

    desk = await counter.desk(order_id)

    assert (desk["amount"]["matches"], desk["end_to_end_id"]["matches"]) == (True, True)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\xff\xd8\xff rubbish", "corrupt"), (photo("\n\n"), "no_text")],
    ids=["broken", "blank"],
)
async def test_picture_without_text_says_why(
    content: bytes, code: str, tmp_path: Path
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(content)

    with pytest.raises(UnreadableError) as raised:
        await RapidOcr().text(path, FileType.JPEG)

    assert raised.value.code == code
