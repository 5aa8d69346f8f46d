"""Imports."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read
from vek1_api.core.problems import responses
from vek1_api.imports import service
from vek1_api.imports.errors import ImportNotFoundError
from vek1_api.imports.schemas import ImportFilters, ImportRead

router = APIRouter(prefix="/v1/imports", tags=["Catalogue"])


@router.get(
    "/{import_id}", response_model=ImportRead, responses=responses(ImportNotFoundError)
)
async def get_import(
    read: Read, import_id: UUID, filters: Annotated[ImportFilters, Query()]
) -> Response:
    """Get how far an import is, with a page of its rows in the order of the file.

    Finished imports are kept for a week.
    """
    return read.one(await service.get(read.database, read.access, import_id, filters))
