from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from vek1_api.core import clock
from vek1_api.core.storage import (
    Bucket,
    StorageError,
    StoredObject,
    attachment,
)
from vek1_api.core.object_keys import (
    is_ours,
    is_public,
    logo_key,
    private_key,
    public_product_key,
)
from vek1_api.embedded.object_store import EmbeddedObjectStore
from vek1_api.embedded.processes import free_ports

pytestmark = pytest.mark.timeout(60)  # The first one starts the store.

KEYS: Any = {"access_key": "vek1", "secret_key": "a-secret-of-the-tests"}
ODD_IDS = ["plain", "..", "a/../b", "x/products/y", "é ü+&=#?%", "a\\b", "x/logo", "*", " "]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedObjectStore(tmp_path_factory.mktemp("s3"), **KEYS) as store:
        yield store.start()


@pytest.fixture
async def bucket(endpoint: str) -> AsyncIterator[Bucket]:
    bucket = Bucket(endpoint=endpoint, bucket="vek1", **KEYS)
    await bucket.ensure()
    yield bucket
    bucket.close()


async def _put(bucket: Bucket, key: str, content: bytes = b"seven") -> str:
    await bucket.put(key, BytesIO(content), len(content), "image/png")
    return key


async def _status(url: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).status_code


async def test_an_object_comes_back_as_it_was_stored(
    bucket: Bucket, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 48 * 1024  # 12 MiB: more than two parts.
    key = await _put(bucket, private_key("c", "documents", "pdf"), content)

    stored = await bucket.stat(key)
    assert stored is not None
    assert (stored.size, stored.content_type) == (len(content), "image/png")
    assert await bucket.read(key, len(content)) == content
    await bucket.download(key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


async def test_an_object_larger_than_the_limit_is_not_read(bucket: Bucket) -> None:
    key = await _put(bucket, private_key("c", "documents", "pdf"))

    assert await bucket.read(key, 5) == b"seven"
    with pytest.raises(StorageError, match="larger than 4 bytes"):
        await bucket.read(key, 4)


async def test_a_copy_is_bounded_too(bucket: Bucket) -> None:
    key = await _put(bucket, private_key("c", "documents", "pdf"))
    target = BytesIO()

    await bucket.copy_to(target, key, 5)
    assert target.getvalue() == b"seven"
    with pytest.raises(StorageError, match="larger than 4 bytes"):
        await bucket.copy_to(BytesIO(), key, 4)


async def test_an_empty_object_is_an_object(bucket: Bucket) -> None:
    key = await _put(bucket, private_key("c", "documents", "txt"), b"")

    assert await bucket.read(key, 10) == b""
    assert await bucket.exists(key)


async def test_deleting_twice_is_deleting_once(bucket: Bucket) -> None:
    key = await _put(bucket, private_key("c", "documents", "pdf"))
    await bucket.delete(key)
    await bucket.delete(key)

    assert not await bucket.exists(key)
    assert await bucket.stat(key) is None


async def test_a_missing_object_is_a_storage_error_and_no_file(
    bucket: Bucket, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="NoSuchKey"):
        await bucket.read("missing", 10)
    with pytest.raises(StorageError, match="NoSuchKey"):
        await bucket.download("missing", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


async def test_keys_lists_what_is_under_the_prefix(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vek1_api.core.storage.PAGE_KEYS", 2)
    wanted = {
        await _put(bucket, private_key("lister", "documents", "pdf")) for _ in range(5)
    }
    await _put(bucket, private_key("listed-not", "documents", "pdf"))

    found = [key async for key in bucket.keys("companies/lister/")]
    assert len(found) == 5
    assert set(found) == wanted
    pages = [page async for page in bucket.pages("companies/lister/")]
    assert [len(page) for page in pages] == [2, 2, 1]
    ages = [clock.now() - entry.modified_at for page in pages for entry in page]
    assert all(timedelta(seconds=-2) < age < timedelta(minutes=1) for age in ages)


@pytest.mark.parametrize("company_id", ODD_IDS)
async def test_anyone_reads_public_keys_and_nobody_private_ones(
    bucket: Bucket, company_id: str
) -> None:
    image = await _put(bucket, public_product_key(company_id, company_id, "png"))
    logo = await _put(bucket, logo_key(company_id, "png"))
    proof = await _put(bucket, private_key(company_id, "proofs", "png"))

    assert await _status(bucket.public_url(image)) == 200
    assert await _status(bucket.public_url(logo)) == 200
    assert await _status(bucket.public_url(proof)) == 403
    assert await bucket.read(proof, 5) == b"seven"


async def test_nobody_lists_or_writes_without_credentials(bucket: Bucket) -> None:
    key = logo_key("c", "png")
    folder = bucket.public_url("").rstrip("/")

    assert await _status(f"{folder}?list-type=2") == 403
    async with httpx.AsyncClient() as client:
        assert (await client.put(bucket.public_url(key), content=b"x")).status_code == 403
    assert not await bucket.exists(key)


async def test_a_link_opens_a_private_object_and_saves_under_its_name(
    bucket: Bucket,
) -> None:
    key = await _put(bucket, private_key("c", "proofs", "png"))
    link = await bucket.link(key, filename="comprovante ção.png")

    async with httpx.AsyncClient() as client:
        response = await client.get(link)
        tampered = await client.get(link.replace("proofs", "other"))
    assert response.status_code == 200
    assert response.content == b"seven"
    assert response.headers["content-disposition"] == attachment("comprovante ção.png")
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["600"]
    assert tampered.status_code == 403


async def test_a_form_is_good_for_its_key_type_and_size_until_it_expires(
    bucket: Bucket,
) -> None:
    async def post(
        content: bytes, minutes: int = 15, changed: dict[str, str] | None = None
    ) -> int:
        form = await bucket.upload_form(
            key,
            content_type="image/png",
            max_bytes=5,
            expires_at=clock.now() + timedelta(minutes=minutes),
        )
        fields = form.fields | (changed or {})
        async with httpx.AsyncClient() as client:
            response = await client.post(
                form.url, data=fields, files={"file": ("x", content)}
            )
        return response.status_code

    key = private_key("c", "incoming", "png")
    assert await post(b"eight!") >= 400
    assert await post(b"seven", changed={"key": logo_key("c", "png")}) == 403
    assert await post(b"seven", changed={"Content-Type": "text/html"}) == 403
    assert await post(b"seven", minutes=-1) >= 400
    assert not await bucket.exists(key)
    assert await post(b"seven") == 204
    stored = await bucket.stat(key)
    assert stored is not None
    assert (stored.size, stored.content_type) == (5, "image/png")


async def test_links_and_public_urls_name_the_public_host(endpoint: str) -> None:
    bucket = Bucket(
        endpoint=endpoint, bucket="vek1", public_url="https://files.example.com/", **KEYS
    )
    link = await bucket.link(
        "companies/c/private/x", filename="x", expires=timedelta(hours=1)
    )
    form = await bucket.upload_form(
        "x", content_type="image/png", max_bytes=1, expires_at=clock.now()
    )
    bucket.close()

    assert link.startswith("https://files.example.com/vek1/companies/c/private/x?")
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["3600"]
    assert form.url == "https://files.example.com/vek1"
    assert bucket.public_url("a/é") == "https://files.example.com/vek1/a/%C3%A9"


async def test_a_policy_that_was_changed_is_named_and_put_right(endpoint: str) -> None:
    bucket = Bucket(endpoint=endpoint, bucket="fresh", **KEYS)
    assert await bucket.policy_problems() == ["the bucket fresh does not exist"]
    assert not await bucket.healthy()
    await bucket.ensure()
    assert await bucket.healthy()
    assert await bucket.policy_problems() == []

    bucket._client.delete_bucket_policy("fresh")  # noqa: SLF001 - Another hand.
    lacks = "the policy lacks: Allow * s3:GetObject arn:aws:s3:::fresh/companies/*/"
    assert await bucket.policy_problems() == [f"{lacks}logo/*", f"{lacks}products/*"]
    await bucket.ensure()
    await bucket.ensure()
    assert await bucket.policy_problems() == []
    bucket.close()


async def test_a_store_that_is_down_is_a_storage_error() -> None:
    bucket = Bucket(endpoint=f"http://127.0.0.1:{free_ports(1)[0]}", bucket="vek1", **KEYS)

    with pytest.raises(StorageError):
        await bucket.stat("key")
    assert not await bucket.healthy()
    bucket.close()


@pytest.mark.parametrize("company_id", ODD_IDS)
def test_no_id_leaves_its_prefix_or_looks_public(company_id: str) -> None:
    key = private_key(company_id, "documents", "pdf")
    steps = key.split("/")

    assert (len(steps), steps[0], steps[2:4]) == (5, "companies", ["private", "documents"])
    assert steps[1] not in {"", ".", ".."}
    assert not is_public(key)
    assert is_public(logo_key(company_id, "png"))
    assert len(public_product_key("c", company_id, "png").split("/")) == 5


def test_keys_are_never_the_same() -> None:
    keys = {logo_key("c", "png") for _ in range(1_000)}

    assert len(keys) == 1_000
    assert all(len(key.split("-")[-1]) == len(".png") + 32 for key in keys)


def test_keys_of_ours_are_known_by_their_last_step() -> None:
    for key in (private_key("c", "incoming", "png"), logo_key("..", "jpg")):
        assert is_ours(key)
        assert not is_ours(key + "x" * 11)
        assert not is_ours(key + "/x")
    assert not is_ours("companies/c/products/p/1772461800000.png")
    assert not is_ours("")


@pytest.mark.parametrize("kind", ["products", "logo", "a/products/b", "", "..", "A"])
def test_a_kind_that_could_be_public_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="not a kind of private object"):
        private_key("c", kind, "pdf")


def test_an_empty_id_or_an_odd_extension_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        logo_key("", "png")
    with pytest.raises(ValueError, match="not an extension"):
        logo_key("c", "../png")


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("a.pdf", "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
        ("é.pdf", "attachment; filename=\"_.pdf\"; filename*=UTF-8''%C3%A9.pdf"),
        ("../../etc/x", "attachment; filename=\"x\"; filename*=UTF-8''x"),
        ('a"\r\nb', "attachment; filename=\"a_b\"; filename*=UTF-8''a%22b"),
        ("", "attachment; filename=\"file\"; filename*=UTF-8''file"),
    ],
)
def test_a_filename_cannot_break_its_header(filename: str, header: str) -> None:
    assert attachment(filename) == header
