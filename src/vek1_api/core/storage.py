"""The bucket, over the ``minio`` client: streamed, off the event loop, one kind of error.

Anonymous reads are allowed under ``PUBLIC_PATTERNS`` only, and ``*`` in a bucket policy
crosses slashes. So keys are made here, where no id and no kind can imitate a public one.

Browsers get a public object as the type that it was stored with. The caller decides that
type from the content, and must use none that runs scripts (HTML, SVG, XML).
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote, unquote, urlsplit

import urllib3
from anyio import CapacityLimiter, to_thread
from minio import Minio
from minio.datatypes import PostPolicy
from minio.error import MinioException, S3Error
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from vek1_api.core.bucket_policy import grants, wanted_policy

LINK_LIFE = timedelta(minutes=10)
PART_BYTES = 5 * 1024 * 1024  # The least that S3 allows; so much of a file is in memory.
BLOCK_BYTES = 256 * 1024
PAGE_KEYS = 1_000
CALLS_AT_ONCE = 16
LONGEST_NAME = 150

Result = TypeVar("Result")


class StorageError(Exception):
    """The object store cannot be reached, refuses, or does not hold what was asked for."""


@dataclass(frozen=True)
class StoredObject:
    """What the store knows about an object; ``size`` is in bytes."""

    size: int
    content_type: str
    etag: str


@dataclass(frozen=True)
class ListedObject:
    """An object as a listing has it."""

    key: str
    modified_at: datetime


@dataclass(frozen=True)
class UploadForm:
    """What a browser posts to ``url``: these fields in this order, and then ``file``."""

    url: str
    fields: dict[str, str]


class Bucket:
    """One bucket. All methods raise ``StorageError`` only; close it when done."""

    def __init__(
        self,
        *,
        endpoint: str,
        access_key: str,
        secret_key: str,
        bucket: str,
        region: str = "us-east-1",
        public_url: str | None = None,
    ) -> None:
        self._name = bucket
        self._public_url = (public_url or endpoint).rstrip("/")
        self._pool = urllib3.PoolManager(
            maxsize=CALLS_AT_ONCE,
            timeout=urllib3.Timeout(connect=2, read=30),
            retries=urllib3.Retry(
                total=2, backoff_factor=0.1, status_forcelist=(502, 503, 504)
            ),
        )
        self._limiter = CapacityLimiter(CALLS_AT_ONCE)

        def client(url: str) -> Minio:
            parts = urlsplit(url)
            return Minio(
                parts.netloc,
                access_key=access_key,
                secret_key=secret_key,
                secure=parts.scheme == "https",
                region=region,
                http_client=self._pool,
            )

        self._client = client(endpoint)
        # Links are signed for the host that browsers see; this one never calls it.
        self._signer = client(self._public_url)

    def close(self) -> None:
        """Close the connections. A store that stops waits for them otherwise."""
        self._pool.clear()

    async def ensure(self) -> None:
        """Make the bucket and its policy right; writes nothing when they are."""
        await self._call(self._ensure)

    async def policy_problems(self) -> list[str]:
        """Return a sentence for each difference from the policy that ``ensure`` sets."""
        return await self._call(self._policy_problems)

    async def healthy(self) -> bool:
        """Tell whether the store answers and has the bucket."""
        try:
            return await self._call(partial(self._client.bucket_exists, self._name))
        except StorageError:
            return False

    async def put(self, key: str, stream: BinaryIO, size: int, content_type: str) -> None:
        """Store ``size`` bytes of ``stream``, a few megabytes at a time."""
        write = partial(self._client.put_object, part_size=PART_BYTES)
        await self._call(partial(write, self._name, key, stream, size, content_type))

    async def read(self, key: str, limit: int) -> bytes:
        """Return an object of at most ``limit`` bytes; a larger one is an error."""
        return await self._call(partial(self._read, key, limit))

    async def download(self, key: str, path: Path) -> None:
        """Write an object to ``path``; leaves no half file."""
        await self._call(partial(self._download, key, path))

    async def copy_to(self, target: BinaryIO, key: str, limit: int) -> None:
        """Write an object of at most ``limit`` bytes to ``target``; a larger one is an error."""
        await self._call(partial(self._copy, target, key, limit))

    async def delete(self, key: str) -> None:
        """Delete an object; one that is missing is deleted already."""
        await self._call(partial(self._client.remove_object, self._name, key))

    async def stat(self, key: str) -> StoredObject | None:
        """Return what is known about an object, or ``None`` when it is missing."""
        return await self._call(partial(self._stat, key))

    async def exists(self, key: str) -> bool:
        """Tell whether an object is there."""
        return await self.stat(key) is not None

    async def pages(self, prefix: str) -> AsyncIterator[list[ListedObject]]:
        """Yield what lies under ``prefix``, fetched a page at a time."""
        entries = self._client.list_objects(self._name, prefix=prefix, recursive=True)
        while page := await self._call(lambda: list(islice(entries, PAGE_KEYS))):
            yield [
                ListedObject(entry.object_name, entry.last_modified)
                for entry in page
                if entry.object_name and entry.last_modified and not entry.is_dir
            ]

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """Yield the keys under ``prefix``."""
        async for page in self.pages(prefix):
            for entry in page:
                yield entry.key

    async def link(self, key: str, *, filename: str, expires: timedelta = LINK_LIFE) -> str:
        """Return a link that anyone may open until it expires; it saves as ``filename``."""
        sign = partial(
            self._signer.presigned_get_object,
            response_headers={"response-content-disposition": attachment(filename)},
        )
        return await self._call(partial(sign, self._name, key, expires))

    async def upload_form(
        self, key: str, *, content_type: str, max_bytes: int, expires_at: datetime
    ) -> UploadForm:
        """Return a form that lets a browser put 1 to ``max_bytes`` of this type at ``key``."""
        policy = PostPolicy(self._name, expires_at)
        fixed = {"key": key, "Content-Type": content_type}
        for name, value in fixed.items():
            policy.add_equals_condition(name, value)
        policy.add_content_length_range_condition(1, max_bytes)
        signed = await self._call(partial(self._signer.presigned_post_policy, policy))
        return UploadForm(f"{self._public_url}/{self._name}", fixed | signed)

    def public_url(self, key: str) -> str:
        """Return the address at which browsers read a public object."""
        return f"{self._public_url}/{self._name}/{quote(key)}"

    def key_of(self, public_url: str) -> str:
        """Return the key of a public object from the address that ``public_url`` made."""
        return unquote(public_url.removeprefix(f"{self._public_url}/{self._name}/"))

    async def _call(self, work: Callable[[], Result]) -> Result:
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        except (MinioException, HTTPError) as error:
            raise StorageError(str(error)) from error

    @contextmanager
    def _open(self, key: str) -> Iterator[BaseHTTPResponse]:
        response = self._client.get_object(self._name, key)
        try:
            yield response
        finally:
            response.close()
            response.release_conn()

    def _read(self, key: str, limit: int) -> bytes:
        with self._open(key) as response:
            content = response.read(limit + 1)
        if len(content) > limit:
            message = f"{key} is larger than {limit} bytes"
            raise StorageError(message)
        return content

    def _download(self, key: str, path: Path) -> None:
        try:
            with path.open("wb") as target:
                self._copy(target, key)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _copy(self, target: BinaryIO, key: str, limit: int | None = None) -> None:
        size = 0
        with self._open(key) as response:
            for block in response.stream(BLOCK_BYTES):
                size += len(block)
                if limit is not None and size > limit:
                    message = f"{key} is larger than {limit} bytes"
                    raise StorageError(message)
                target.write(block)

    def _stat(self, key: str) -> StoredObject | None:
        try:
            found = self._client.stat_object(self._name, key)
        except S3Error as error:
            if error.code != "NoSuchKey":
                raise
            return None
        return StoredObject(found.size or 0, found.content_type or "", found.etag or "")

    def _ensure(self) -> None:
        if not self._client.bucket_exists(self._name):
            with _allowing("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                self._client.make_bucket(self._name)
        if self._policy_problems():
            self._client.set_bucket_policy(
                self._name, json.dumps(wanted_policy(self._name))
            )

    def _policy_problems(self) -> list[str]:
        if not self._client.bucket_exists(self._name):
            return [f"the bucket {self._name} does not exist"]
        policy: dict[str, Any] = {}
        with _allowing("NoSuchBucketPolicy"):
            policy = json.loads(self._client.get_bucket_policy(self._name))
        wanted, found = grants(wanted_policy(self._name)), grants(policy)
        return [
            *(f"the policy lacks: {grant}" for grant in sorted(wanted - found)),
            *(f"the policy should not have: {grant}" for grant in sorted(found - wanted)),
        ]


@contextmanager
def _allowing(*codes: str) -> Iterator[None]:
    """Pass over the S3 errors with these codes."""
    try:
        yield
    except S3Error as error:
        if error.code not in codes:
            raise


def attachment(filename: str) -> str:
    """Return a ``Content-Disposition`` (RFC 6266, 5987) without folders and controls."""
    name = re.split(r"[/\\]", filename)[-1]
    name = "".join(filter(str.isprintable, name))[-LONGEST_NAME:] or "file"
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
