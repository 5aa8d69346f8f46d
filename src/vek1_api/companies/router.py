"""The actor's own company, and its making at sign-up."""

from typing import Annotated

from fastapi import APIRouter, File, Response, UploadFile

from vek1_api.access.dependencies import Read, ServiceCall, Write
from vek1_api.companies import logo, service
from vek1_api.companies.errors import CompanyNotFoundError, SlugTakenError
from vek1_api.companies.schemas import CompanyEnsure, CompanyRead, CompanyUpdate
from vek1_api.core.answers import Answer, respond
from vek1_api.core.errors import (
    EmptyFileError,
    PayloadTooLargeError,
    PreconditionFailedError,
    UnsupportedMediaTypeError,
)
from vek1_api.core.problems import responses
from vek1_api.files.images import fit_for_all
from vek1_api.files.incoming import IMAGES, judge

router = APIRouter(tags=["Company"])


@router.post(
    "/internal/company/ensure",
    status_code=201,
    response_model=CompanyRead,
    responses=responses(SlugTakenError)
    | {200: {"model": CompanyRead, "description": "The company that was there."}},
)
async def ensure_company(call: ServiceCall, body: CompanyEnsure) -> Response:
    """Return the user's company, making it the first time. Safe to call twice at once."""
    bucket_name = call.resources.settings.s3_bucket
    access = service.signing_up(call.access, body)
    return await call(lambda tx: service.ensure(tx, access, body, bucket_name=bucket_name))


@router.get(
    "/v1/company", response_model=CompanyRead, responses=responses(CompanyNotFoundError)
)
async def get_company(read: Read) -> Response:
    """Get the actor's own company."""
    return read.one(await service.get(read.database, read.access))


@router.patch(
    "/v1/company",
    response_model=CompanyRead,
    responses=responses(CompanyNotFoundError, SlugTakenError, PreconditionFailedError),
)
async def update_company(write: Write, body: CompanyUpdate) -> Response:
    """Change the company's name, slug or settings."""
    return await write(
        lambda tx: service.update(tx, write.access, body, if_match=write.if_match)
    )


@router.put(
    "/v1/company/logo",
    response_model=CompanyRead,
    responses=responses(
        CompanyNotFoundError,
        PreconditionFailedError,
        PayloadTooLargeError,
        UnsupportedMediaTypeError,
        EmptyFileError,
    ),
)
async def put_company_logo(
    write: Write, file: Annotated[UploadFile, File(description="JPEG, PNG, GIF or WebP.")]
) -> Response:
    """Replace the company's logo; its address is public.

    The picture loses its metadata, such as where it was taken.
    """
    limit = write.resources.settings.max_file_bytes
    sent = await judge(file.file, file.filename, max_bytes=limit, allowed=IMAGES)
    image = await fit_for_all(sent)
    body = await logo.replace(write.resources, write.access, image, if_match=write.if_match)
    return respond(Answer(200, body).recorded())


@router.delete(
    "/v1/company/logo",
    status_code=204,
    responses=responses(CompanyNotFoundError, PreconditionFailedError),
)
async def delete_company_logo(write: Write) -> Response:
    """Remove the company's logo; without one, nothing happens."""
    return await write(
        lambda tx: logo.remove(tx, write.access, write.resources, if_match=write.if_match)
    )
