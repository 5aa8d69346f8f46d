"""The company's logo: a public image in the bucket."""

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.companies import queries, service
from vek1_api.core.answers import Answer
from vek1_api.core.object_keys import logo_key
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.core.resources import Resources
from vek1_api.files import service as files
from vek1_api.files.incoming import IncomingFile
from vek1_api.files.service import Upload, uploaded


async def replace(
    resources: Resources, access: Access, image: IncomingFile, *, if_match: IfMatch
) -> Json:
    """Store the image, point the company to it, and give up the one before."""
    async with resources.database.transaction() as tx:
        if_match.check(await service.lock(tx, access))
    upload = Upload(
        key=logo_key(access.company_id, image.file_type.value),
        store_id=None,
        size_bytes=image.size_bytes,
        content_type=image.file_type.mime_type,
    )
    async with (
        uploaded(resources, access, upload, image.stream) as key,
        resources.database.transaction() as tx,
    ):
        await files.keep(tx, key)
        return await _point_to(tx, access, resources, key, if_match)


async def remove(
    tx: AsyncConnection, access: Access, resources: Resources, *, if_match: IfMatch
) -> Answer:
    """Give up the logo; without one, nothing happens."""
    await _point_to(tx, access, resources, None, if_match)
    return Answer(204)


async def _point_to(
    tx: AsyncConnection,
    access: Access,
    resources: Resources,
    key: str | None,
    if_match: IfMatch,
) -> Json:
    body = await service.lock(tx, access)
    if_match.check(body)
    old_url = await queries.logo_url(tx, access.company_id)
    if old_url is None and key is None:
        return body
    if old_url is not None:
        await files.discard(tx, [resources.bucket.key_of(old_url)])
    url = None if key is None else resources.bucket.public_url(key)
    after = await queries.change(tx, access.company_id, {"logo_url": url})
    action = "company.logo_replaced" if key else "company.logo_removed"
    await audit_service.log_audit(tx, access, action, "company", access.company_id)
    return after
