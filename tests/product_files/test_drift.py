"""Rows and objects that drifted apart find each other again, or are reported."""

import io
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.conftest import RunJobs
from tests.documents.files import pdf
from tests.files.pictures import plain
from tests.product_files.shelf import Shop, opened
from vek1_api.cli.doctor import examine
from vek1_api.core.object_keys import logo_key, private_key, public_product_key
from vek1_api.core.resources import Resources
from vek1_api.files import reconciling
from vek1_api.files.reconciling import Drift, compare, reconcile
from vek1_api.settings import Settings

pytestmark = pytest.mark.timeout(30)  # Files are read in processes of their own.

PNG = plain("PNG")


async def put(resources: Resources, key: str) -> str:
    await resources.bucket.put(key, io.BytesIO(PNG), len(PNG), "image/png")
    return key


@pytest.fixture
def _everything_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store keeps the time of its objects by itself; no test can set it."""
    monkeypatch.setattr(reconciling, "STRANDED_AFTER", timedelta(seconds=-60))


@pytest.mark.usefixtures("_everything_is_old")
async def test_object_without_a_row_leaves_the_bucket(shop: Shop) -> None:
    company_id, bucket = shop.person.user_id, shop.resources.bucket
    kept = await shop.add("a.png", PNG)
    announced = await shop.announce(PNG)
    await put(shop.resources, announced["fields"]["key"])
    stranded = [
        await put(shop.resources, key)
        for key in (
            public_product_key(company_id, shop.product_id, "png"),
            private_key(company_id, "incoming", "png"),
            logo_key(company_id, "png"),
        )
    ]
    theirs = [
        await put(shop.resources, f"companies/{company_id}/{name}")
        for name in ("products/p/1772461800000.png", "products/p/foto.png", "notes.png")
    ]
    elsewhere = await put(shop.resources, f"backups/{stranded[0].rpartition('/')[2]}")

    with capture_logs() as logs:
        drift = await reconcile(shop.resources)

    assert drift.removed >= len(stranded)
    removed = [each["key"] for each in logs if each["event"] == "stranded_object_removed"]
    assert set(stranded) <= set(removed)
    assert [await bucket.exists(key) for key in stranded] == [False] * 3
    assert [await bucket.exists(key) for key in [*theirs, elsewhere]] == [True] * 4
    assert (await opened(kept["file_url"])).content == PNG
    assert await bucket.exists(announced["fields"]["key"])
    assert (await reconcile(shop.resources)).removed == 0


async def test_object_that_may_still_get_its_row_is_left_alone(shop: Shop) -> None:
    key = await put(
        shop.resources, public_product_key(shop.person.user_id, shop.product_id, "png")
    )

    assert (await reconcile(shop.resources)).removed == 0

    assert await shop.resources.bucket.exists(key)
    await shop.resources.bucket.delete(key)


@pytest.mark.usefixtures("_everything_is_old")
async def test_bucket_of_another_database_is_left_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "TOO_MANY_STRANDED", 2)
    keys = [
        await put(shop.resources, public_product_key(shop.person.user_id, "p", "png"))
        for _ in range(3)
    ]

    async def none_known(*_: object) -> set[str]:
        return set()

    monkeypatch.setattr("vek1_api.files.queries.known", none_known)
    with capture_logs() as logs:
        assert (await reconcile(shop.resources)).removed == 0

    assert "bucket_is_not_ours" in [each["event"] for each in logs]
    for key in keys:
        assert await shop.resources.bucket.exists(key)
        await shop.resources.bucket.delete(key)


async def test_row_without_its_object_is_reported_and_its_file_has_failed(
    shop: Shop, run_jobs: RunJobs
) -> None:
    kept = await shop.add("a.pdf", pdf(["Garantia de um ano."]))
    lost = await shop.add("b.pdf", pdf(["Garantia de dois anos."]))
    await run_jobs()
    await shop.resources.bucket.delete(lost["filename"])

    with capture_logs() as logs:
        drift = await reconcile(shop.resources)
    await run_jobs()

    assert drift.removed == 0
    reported = [each["key"] for each in logs if each["event"] == "stored_object_lost"]
    assert len(reported) == drift.lost
    assert lost["filename"] in reported
    assert kept["filename"] not in reported
    found = await shop.get(lost["id"])
    assert found["status"] == "failed"
    assert "dois anos" in found["content"]
    assert (await shop.get(kept["id"]))["status"] == "ready"
    await shop.person.delete(f"/v1/product-files/{lost['id']}")
    await run_jobs()
    assert await reconcile(shop.resources) == Drift(removed=0, lost=drift.lost - 1)


@pytest.mark.usefixtures("_everything_is_old")
async def test_doctor_tells_what_has_no_other_side_and_removes_it_if_asked(
    shop: Shop, settings: Settings
) -> None:
    async def found(*, fix: bool) -> list[str]:
        checks = await examine(
            settings, fix=fix, recount=False, balance=False, report=print
        )
        (bucket,) = (check for check in checks if check.name == "bucket")
        return [*bucket.problems]

    before = await found(fix=True)  # Other tests may have left something behind.
    lost = await shop.add("a.png", PNG)
    await shop.resources.bucket.delete(lost["filename"])
    stranded = await put(
        shop.resources, private_key(shop.person.user_id, "incoming", "png")
    )

    examined = await found(fix=False)

    assert await shop.resources.bucket.exists(stranded)
    assert examined[0] == (
        f"1 objects that no row knows, e.g. {stranded}; run vek1-api doctor --fix"
    )
    assert "rows whose object is lost" in examined[1]
    assert (await found(fix=True))[0] == examined[1]
    assert not await shop.resources.bucket.exists(stranded)
    await shop.person.delete(f"/v1/product-files/{lost['id']}")
    assert await found(fix=False) == before


async def test_comparison_ends_in_time_and_says_how_far_it_is(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await shop.add(f"{number}.png", PNG)
    monkeypatch.setattr("vek1_api.core.storage.PAGE_KEYS", 1)
    monkeypatch.setattr(reconciling, "MAX_COMPARED", 4)
    monkeypatch.setattr(reconciling, "REPORTED_EVERY", 2)
    heard: list[int] = []

    compared = await compare(shop.resources, heard.append)

    assert (compared.objects, compared.is_whole, heard) == (4, False, [2, 4])


@pytest.mark.usefixtures("_everything_is_old")
async def test_reconciling_goes_through_everything_in_small_steps(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests may have left something behind.
    while (before := await reconcile(shop.resources)).removed:
        pass
    monkeypatch.setattr(reconciling, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(reconciling, "MAX_STRANDED", 2)
    monkeypatch.setattr("vek1_api.core.storage.PAGE_KEYS", 2)
    added = [await shop.add(f"{number}.png", PNG) for number in range(5)]
    for each in added:
        await shop.resources.bucket.delete(each["filename"])
    for _ in range(3):
        await put(shop.resources, private_key(shop.person.user_id, "incoming", "png"))

    drifts = [await reconcile(shop.resources) for _ in range(3)]

    assert [drift.removed for drift in drifts] == [2, 1, 0]
    assert {drift.lost - before.lost for drift in drifts} == {5}
    for each in added:
        await shop.person.delete(f"/v1/product-files/{each['id']}")
