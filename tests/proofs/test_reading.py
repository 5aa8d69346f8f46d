"""Reading a proof: by a job, more than once if need be, never into the knowledge base."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from typing_extensions import override

from tests.conftest import RunJobs
from tests.pix import receipts
from tests.proofs.counter import Counter, receipt
from tests.proofs.rendered import pdf, photo, scan
from vek1_api.core import clock
from vek1_api.core.jobs import PERIODIC
from vek1_api.files.filetypes import FileType
from vek1_api.proofs import pictures, reading
from vek1_api.proofs.pictures import NoOcr, PictureReader

_LOCKED = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)


async def proof_ids(counter: Counter) -> list[UUID]:
    rows = await counter.rows(
        "SELECT id FROM vek1_api.order_proofs WHERE store_id = $1 ORDER BY received_at",
        counter.store_id,
    )
    return [row["id"] for row in rows]


async def sent(counter: Counter, content: bytes) -> tuple[str, UUID]:
    order_id = await counter.order()
    await counter.prove(order_id, content)
    return order_id, (await proof_ids(counter))[-1]


async def test_text_of_a_proof_is_no_knowledge(counter: Counter, run_jobs: RunJobs) -> None:
    await sent(counter, pdf(receipts.ITAU))
    await run_jobs()

    documents = await counter.person.get(f"/v1/stores/{counter.store_id}/documents")
    assert documents["items"] == []
    found = await counter.person.post(
        f"/v1/stores/{counter.store_id}/search", {"query": "comprovante"}, 200
    )
    assert found["items"] == []


@pytest.mark.parametrize("content", [photo("Pix"), scan("Pix")], ids=["photo", "scan"])
async def test_without_the_optional_part_a_picture_is_kept_for_a_person(
    counter: Counter, content: bytes
) -> None:
    order_id, proof_id = await sent(counter, content)

    await reading.read(counter.resources, proof_id, NoOcr())

    proofs = await counter.proofs(order_id)
    [version] = proofs["versions"]
    assert (version["reading"], version["reading_error"]) == (
        "unreadable",
        "ocr_not_installed",
    )
    assert proofs["desk"]["risk"] == "medium"
    assert [each["code"] for each in proofs["desk"]["reasons"]] == ["ocr_not_installed"]


@pytest.mark.parametrize("content", [b"%PDF-1.7 broken", _LOCKED])
async def test_what_cannot_be_read_says_so(counter: Counter, content: bytes) -> None:
    order_id, proof_id = await sent(counter, content)

    await reading.read(counter.resources, proof_id, NoOcr())

    proofs = await counter.proofs(order_id)
    assert proofs["versions"][0]["reading"] == "unreadable"
    assert proofs["desk"]["risk"] == "medium"


async def test_second_reading_finds_nothing_to_do(
    counter: Counter, run_jobs: RunJobs
) -> None:
    order_id, proof_id = await sent(counter, pdf(receipt()))
    await run_jobs()
    before = await counter.desk(order_id)

    await counter.resources.bucket.delete(next(iter(await counter.objects())))
    await reading.read(counter.resources, proof_id, NoOcr())

    assert await counter.desk(order_id) == before


class _LateText(PictureReader):
    """Reads nothing before the proof has gone, as the erasure of its person does it."""

    can_read = True

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    @override
    async def text(self, path: Path, kind: FileType) -> str:
        orders = "ARRAY(SELECT id FROM orders WHERE store_id = $1)"
        statement = f"SELECT vek1_api.remove_proofs({orders})"
        await self._counter.execute(statement, self._counter.store_id)
        return receipt()


async def test_what_is_read_after_the_proof_has_gone_is_not_kept(counter: Counter) -> None:
    _, proof_id = await sent(counter, photo("Pix"))

    await reading.read(counter.resources, proof_id, _LateText(counter))

    for table in ("order_proofs", "proof_payments"):
        statement = f"SELECT 1 FROM vek1_api.{table} WHERE store_id = $1"
        assert await counter.rows(statement, counter.store_id) == []


async def test_forgotten_proof_is_read_by_the_sweeper(
    counter: Counter, run_jobs: RunJobs
) -> None:
    order_id, proof_id = await sent(counter, pdf(receipt()))
    await counter.execute("DELETE FROM vek1_api.pgqueuer WHERE entrypoint = 'proofs.read'")
    await counter.execute(
        "UPDATE vek1_api.order_proofs SET received_at = $2 WHERE id = $1",
        proof_id,
        clock.now() - timedelta(hours=2),
    )

    await PERIODIC["proofs.resume"].run(counter.resources)
    await run_jobs()

    assert (await counter.desk(order_id))["risk"] == "low"


def test_reader_is_there_or_says_that_it_is_not() -> None:
    assert pictures.installed().can_read in {True, False}
    assert NoOcr().can_read is False
