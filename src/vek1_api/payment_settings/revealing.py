"""Answers with a secret, which is not kept in the open for those who ask again."""

from dataclasses import replace

from fastapi import Response

from vek1_api.access.dependencies import Work, Writing
from vek1_api.core.answers import respond
from vek1_api.core.idempotency import Claim


async def reveal(write: Writing, work: Work) -> Response:
    """Do as ``write`` does, but keep the answer of an ``Idempotency-Key`` sealed."""
    keyring, claim = write.resources.keyring, await write.claim()
    async with write.resources.database.transaction() as tx:
        if claim and (known := await claim.replay(tx)):
            body = keyring.open(known.body.decode(), _place(claim)).encode()
            return respond(replace(known, body=body), replayed=True)
        answer = (await work(tx)).recorded()
        if claim:
            sealed = keyring.seal(answer.body.decode(), _place(claim))
            await claim.record(tx, replace(answer, body=sealed.encode()))
    return respond(answer)


def _place(claim: Claim) -> str:
    return f"idempotency_keys.body:{claim.actor}:{claim.key}"
