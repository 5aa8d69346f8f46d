"""Documents, agents' knowledge bases, and search."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read, Write
from vek1_api.agents.errors import AgentNotFoundError
from vek1_api.core.answers import page, respond
from vek1_api.core.errors import (
    EmptyFileError,
    ForeignReferenceError,
    PayloadTooLargeError,
    PreconditionFailedError,
    StorageQuotaExceededError,
    UnsupportedMediaTypeError,
)
from vek1_api.core.pagination import Paging, numbered_page, place_of
from vek1_api.core.problems import responses
from vek1_api.documents import intake, knowledge_base, reading, search, service
from vek1_api.documents.errors import (
    DocumentNotFoundError,
    GeneratedDocumentError,
    NoFileError,
    ThresholdNeedsVectorsError,
)
from vek1_api.documents.intake import Intake
from vek1_api.documents.schemas import (
    ChunkPage,
    DocumentFilters,
    DocumentPage,
    DocumentRead,
    DocumentUpdate,
    FileLink,
    KnowledgeBaseRead,
    KnowledgeBaseUpdate,
    Wait,
)
from vek1_api.documents.search_schemas import SearchQuery, SearchResult
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1", tags=["Knowledge base"])


@router.get(
    "/stores/{store_id}/documents",
    response_model=DocumentPage,
    responses=responses(StoreNotFoundError, ForeignReferenceError),
)
async def list_documents(
    read: Read, store_id: UUID, filters: Annotated[DocumentFilters, Query()]
) -> Response:
    """List a store's documents without their contents, newest first."""
    return read.page(await reading.page(read.database, read.access, store_id, filters))


@router.post(
    "/stores/{store_id}/documents",
    status_code=201,
    response_model=DocumentRead,
    responses=responses(
        StoreNotFoundError,
        ForeignReferenceError,
        StorageQuotaExceededError,
        PayloadTooLargeError,
        UnsupportedMediaTypeError,
        EmptyFileError,
    ),
    openapi_extra=intake.OPENAPI,
)
async def create_document(
    write: Write, store_id: UUID, sent: Intake, wait: Annotated[Wait, Query()] = 0
) -> Response:
    """Add a text (JSON) or a file (multipart `file`) to a store's knowledge.

    A file is judged by its content: PDF, DOCX, CSV, text, Markdown, or an image, which has
    no text yet. It is indexed by a job; `wait` holds the answer until that has ended.
    """
    return await intake.take(write, store_id, sent, wait)


@router.get(
    "/documents/{document_id}",
    response_model=DocumentRead,
    responses=responses(DocumentNotFoundError),
)
async def get_document(read: Read, document_id: UUID) -> Response:
    """Get a document with its content."""
    return read.one(await reading.get(read.database, read.access, document_id))


@router.patch(
    "/documents/{document_id}",
    response_model=DocumentRead,
    responses=responses(
        DocumentNotFoundError,
        ForeignReferenceError,
        StorageQuotaExceededError,
        GeneratedDocumentError,
        PreconditionFailedError,
    ),
)
async def update_document(
    write: Write, document_id: UUID, body: DocumentUpdate
) -> Response:
    """Change a document; a new title or content is indexed again, only where it changed."""
    return await write(
        lambda tx: service.update(
            tx, write.access, document_id, body, if_match=write.if_match
        )
    )


@router.delete(
    "/documents/{document_id}",
    status_code=204,
    responses=responses(
        DocumentNotFoundError, GeneratedDocumentError, PreconditionFailedError
    ),
)
async def delete_document(write: Write, document_id: UUID) -> Response:
    """Remove a document: it never answers again."""
    return await write(
        lambda tx: service.delete(tx, write.access, document_id, if_match=write.if_match)
    )


@router.get(
    "/documents/{document_id}/chunks",
    response_model=ChunkPage,
    responses=responses(DocumentNotFoundError),
)
async def list_chunks(
    read: Read, document_id: UUID, paging: Annotated[Paging, Query()]
) -> Response:
    """List the passages as indexed, in the order of the text."""
    after = place_of(paging.cursor)
    rows = await reading.chunks(read.database, read.access, document_id, paging, after)
    return page(numbered_page(rows, paging.limit))


@router.post(
    "/documents/{document_id}/reindex",
    status_code=202,
    response_model=DocumentRead,
    responses=responses(DocumentNotFoundError),
)
async def reindex_document(write: Write, document_id: UUID) -> Response:
    """Index a document again, for example after a failure."""
    return await write(lambda tx: service.reindex(tx, write.access, document_id))


@router.get(
    "/documents/{document_id}/file",
    responses=responses(DocumentNotFoundError, NoFileError),
)
async def get_document_file(read: Read, document_id: UUID) -> FileLink:
    """Get a link to the original file that lives ten minutes."""
    link = await reading.file_link(read.resources, read.access, document_id)
    return FileLink.model_validate(link)


@router.post(
    "/stores/{store_id}/search",
    response_model=SearchResult,
    responses=responses(
        StoreNotFoundError, ForeignReferenceError, ThresholdNeedsVectorsError
    ),
)
async def search_documents(write: Write, store_id: UUID, body: SearchQuery) -> Response:
    """Find the passages that answer a question, with citations.

    `hybrid` fuses meaning and words. With `agent_id`, only that agent's knowledge base
    answers. A filter never costs results: if `limit` passages are permitted, `limit` come back.
    """
    claim = await write.claim()
    if known := await write.replayed(claim):
        return respond(known, replayed=True)
    found = await search.search(write.resources, write.access, store_id, body)
    return (
        page(found) if claim is None else await write(lambda _tx: search.as_answer(found))
    )


@router.get(
    "/agents/{agent_id}/knowledge-base",
    response_model=KnowledgeBaseRead,
    responses=responses(AgentNotFoundError),
)
async def get_knowledge_base(read: Read, agent_id: UUID) -> Response:
    """Get what an agent knows."""
    return read.one(await knowledge_base.get(read.database, read.access, agent_id))


@router.put(
    "/agents/{agent_id}/knowledge-base",
    response_model=KnowledgeBaseRead,
    responses=responses(AgentNotFoundError, ForeignReferenceError, PreconditionFailedError),
)
async def replace_knowledge_base(
    write: Write, agent_id: UUID, body: KnowledgeBaseUpdate
) -> Response:
    """Make an agent know exactly these documents of its store."""
    return await write(
        lambda tx: knowledge_base.replace(
            tx, write.access, agent_id, body, if_match=write.if_match
        )
    )


@router.post(
    "/agents/{agent_id}/knowledge-base/{document_id}",
    response_model=KnowledgeBaseRead,
    responses=responses(AgentNotFoundError, ForeignReferenceError),
)
async def add_to_knowledge_base(
    write: Write, agent_id: UUID, document_id: UUID
) -> Response:
    """Let an agent know one more document."""
    return await write(
        lambda tx: knowledge_base.add(tx, write.access, agent_id, document_id)
    )


@router.delete(
    "/agents/{agent_id}/knowledge-base/{document_id}",
    status_code=204,
    responses=responses(AgentNotFoundError, ForeignReferenceError, PreconditionFailedError),
)
async def remove_from_knowledge_base(
    write: Write, agent_id: UUID, document_id: UUID
) -> Response:
    """Let an agent forget one document."""
    return await write(
        lambda tx: knowledge_base.remove(
            tx, write.access, agent_id, document_id, if_match=write.if_match
        )
    )
