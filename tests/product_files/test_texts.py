"""What a file says becomes what its product says."""

from datetime import timedelta

import pytest

from tests.conftest import RunJobs
from tests.documents.files import docx_file, pdf
from tests.documents.shelf import demo_file, search, without_store
from tests.files.pictures import plain
from tests.jobs.running import count_jobs
from tests.product_files.shelf import Shop
from vek1_api.core.storage import StorageError
from vek1_api.product_files import jobs, texts

pytestmark = pytest.mark.timeout(30)  # Files are read in processes of their own.

WARRANTY = "A garantia da resistência é de dezoito meses."


async def test_search_answers_from_a_products_manual(shop: Shop, run_jobs: RunJobs) -> None:
    taken = await shop.add("manual.pdf", demo_file("manual-aurora-20-bar.pdf"))

    await run_jobs()

    file = await shop.get(taken["id"])
    assert file["status"] == "ready"
    assert len(file["content"]) > 500
    found = await search(
        shop.person, shop.store_id, "como fazer a descalcificação", limit=3
    )
    assert {each["title"] for each in found} == {"Cafeteira Aurora"}
    assert "descalcific" in " ".join(each["chunk"]["text"] for each in found).lower()


async def test_what_a_removed_file_said_is_forgotten(shop: Shop, run_jobs: RunJobs) -> None:
    taken = await shop.add("garantia.pdf", pdf([WARRANTY]))
    await run_jobs()
    question = "garantia da resistência"
    [found] = await search(shop.person, shop.store_id, question, mode="keyword")
    assert WARRANTY in found["chunk"]["text"]

    await shop.person.delete(f"/v1/product-files/{taken['id']}")
    await run_jobs()

    assert await search(shop.person, shop.store_id, question, mode="keyword") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.docx", docx_file(lambda document: document.add_paragraph(WARRANTY))),
        ("a.csv", f"assunto;texto\ngarantia;{WARRANTY}\n".encode()),
    ],
)
async def test_text_of_other_kinds_is_read_too(
    shop: Shop, run_jobs: RunJobs, name: str, content: bytes
) -> None:
    taken = await shop.add(name, content)

    await run_jobs()

    file = await shop.get(taken["id"])
    assert file["status"] == "ready"
    assert WARRANTY in file["content"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_picture_is_ready_without_a_text(
    shop: Shop, run_jobs: RunJobs, kind: str
) -> None:
    taken = await shop.add("foto", plain(kind))

    await run_jobs()

    file = await shop.get(taken["id"])
    assert (file["status"], file["content"]) == ("ready", None)


@pytest.mark.parametrize(
    "content", [pdf([""]), pdf(["Segredo"], password="1234"), b"%PDF-1.7\nrubbish\n%%EOF"]
)
async def test_file_without_a_text_that_can_be_read_has_failed(
    shop: Shop, run_jobs: RunJobs, content: bytes
) -> None:
    taken = await shop.add("a.pdf", content)

    await run_jobs()

    file = await shop.get(taken["id"])
    assert (file["status"], file["content"]) == ("failed", None)
    assert file["file_size"] == len(content) == await shop.used_bytes()


async def test_long_text_is_cut(
    shop: Shop, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MAX_CHARS", 20)
    taken = await shop.add("a.csv", b"assunto;texto\n" + b"garantia;sim\n" * 9)

    await run_jobs()

    assert len((await shop.get(taken["id"]))["content"]) == 20


async def test_reading_is_tried_again_when_the_store_was_down(shop: Shop) -> None:
    taken = await shop.add("a.pdf", pdf([WARRANTY]))
    payload = {"file_id": taken["id"]}

    with pytest.raises(StorageError):
        await jobs.extract(without_store(shop.resources), payload)
    assert (await shop.get(taken["id"]))["status"] == "pending"
    await jobs.extract(shop.resources, payload)
    await jobs.extract(without_store(shop.resources), payload)

    assert (await shop.get(taken["id"]))["status"] == "ready"


async def test_reading_a_file_that_is_gone_does_nothing(shop: Shop) -> None:
    taken = await shop.add("a.pdf", pdf([WARRANTY]))
    await shop.person.delete(f"/v1/product-files/{taken['id']}")

    await jobs.extract(shop.resources, {"file_id": taken["id"]})

    assert await shop.files() == []


@pytest.mark.parametrize("mime_type", ["application/pdf", "application/zip"])
async def test_file_of_the_front_ends_own_without_an_object_has_failed(
    shop: Shop, run_jobs: RunJobs, mime_type: str
) -> None:
    async with shop.resources.database.driver() as driver:
        file_id = await driver.fetchval(
            "INSERT INTO product_files (company_id, product_id, filename,"
            " original_filename, file_size, file_type, file_url, bucket_name, upload_date)"
            " VALUES ($1, $2, 'a/b.pdf', 'b.pdf', 9, $3, 'http://a/b.pdf', 'vek1',"
            " timezone('UTC', now()) - $4::interval) RETURNING id",
            shop.person.user_id,
            shop.product_id,
            mime_type,
            jobs.FORGOTTEN_AFTER + timedelta(seconds=1),
        )

    await jobs.resume(shop.resources)
    await jobs.resume(shop.resources)

    assert await count_jobs(shop.resources, name="product_files.extract") == 1
    await run_jobs()
    assert (await shop.get(str(file_id)))["status"] == "failed"


async def test_file_that_waits_not_long_yet_is_left_to_its_job(shop: Shop) -> None:
    await shop.add("a.pdf", pdf([WARRANTY]))

    await jobs.resume(shop.resources)

    assert await count_jobs(shop.resources, name="product_files.extract") == 1
