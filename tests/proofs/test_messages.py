"""A file that came in a message becomes the proof of the order that waits for one."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.conftest import RunJobs
from tests.leads.people_of import add_lead
from tests.privacy.lives import store_object
from tests.product_files.shelf import opened
from tests.proofs.counter import Counter, new_receipt, receipt
from tests.proofs.rendered import pdf
from vek1_api.core import jobs
from vek1_api.core.storage import StorageError
from vek1_api.proofs.intake import Sent, take_message


class Chat:
    """A customer who sends files on WhatsApp."""

    def __init__(self, counter: Counter, lead_id: str, run_jobs: RunJobs) -> None:
        self.counter, self.lead_id, self._run_jobs = counter, lead_id, run_jobs

    async def order(self, status: str = "awaiting_proof") -> str:
        return await self.counter.order(status, lead_id=self.lead_id)

    async def store(self, content: bytes) -> str:
        """Put the file where the media of a chat are."""
        counter = self.counter
        return await store_object(
            counter.resources, counter.person, counter.store_id, content, "media"
        )

    async def take(self, key: str, message_id: UUID | None = None, **more: Any) -> UUID:
        """Run the job for a message; return the message's id."""
        message_id = message_id or uuid4()
        payload = {
            "lead_id": self.lead_id,
            "message_id": str(message_id),
            "object_key": key,
            "mime_type": "application/pdf",
            "filename": "comprovante.pdf",
        }
        async with self.counter.resources.database.transaction() as tx:
            await jobs.enqueue(tx, "proofs.take", payload | more)
        await self._run_jobs()
        return message_id

    async def versions(self, order_id: str) -> int:
        return len((await self.counter.proofs(order_id))["versions"])


@pytest.fixture
async def chat(counter: Counter, run_jobs: RunJobs) -> Chat:
    lead = await add_lead(counter.person, counter.store_id)
    return Chat(counter, lead["id"], run_jobs)


async def test_file_of_a_message_becomes_a_proof(chat: Chat) -> None:
    order_id, content = await chat.order(), pdf(receipt())
    key = await chat.store(content)

    message_id = await chat.take(key)

    order = await chat.counter.order_of(order_id)
    assert order["status"] == "proof_received"
    assert order["events"][-1]["actor"] == "system"
    proofs = await chat.counter.proofs(order_id)
    [version] = proofs["versions"]
    assert (version["source"], version["reading"]) == ("whatsapp", "read")
    assert proofs["desk"]["risk"] == "low"
    assert (await opened(version["url"])).content == content
    [row] = await chat.counter.rows(
        "SELECT proof_external_id, message_id FROM orders"
        " JOIN vek1_api.order_proofs ON order_id = orders.id WHERE orders.store_id = $1",
        chat.counter.store_id,
    )
    assert tuple(row) == (str(message_id), message_id)
    # The message may be forgotten; the proof is a copy.
    states = await chat.counter.objects()
    assert len(states) == 2
    assert set(states.values()) == {"kept"}


async def test_same_message_again_is_taken_once(chat: Chat) -> None:
    order_id, key = await chat.order(), await chat.store(new_receipt())
    message_id = await chat.take(key)
    other = await chat.order()

    await chat.take(key, message_id)

    assert (await chat.versions(order_id), await chat.versions(other)) == (1, 0)
    assert len(await chat.counter.objects()) == 2


async def test_newest_order_that_waits_gets_it_before_one_that_has_a_proof(
    chat: Chat,
) -> None:
    older, received, draft = (
        await chat.order(),
        await chat.order("proof_received"),
        await chat.order("draft"),
    )

    await chat.take(await chat.store(new_receipt()))
    assert [await chat.versions(each) for each in (older, received, draft)] == [1, 0, 0]
    await chat.counter.review(older, "accept")

    await chat.take(await chat.store(new_receipt()))
    assert [await chat.versions(each) for each in (older, received, draft)] == [1, 1, 0]


async def test_order_that_is_named_gets_it(chat: Chat) -> None:
    first, second = await chat.order(), await chat.order()

    await chat.take(await chat.store(new_receipt()), order_id=first)

    assert (await chat.versions(first), await chat.versions(second)) == (1, 0)


async def test_where_no_order_waits_nothing_happens(chat: Chat) -> None:
    done, foreign = await chat.order("confirmed"), await chat.counter.order()
    key = await chat.store(new_receipt())

    await chat.take(key)
    await chat.take(key, order_id=foreign)
    await chat.take(key, lead_id=str(uuid4()))

    assert (await chat.versions(done), await chat.versions(foreign)) == (0, 0)
    assert await chat.counter.objects() == {key: "kept"}


async def test_what_is_no_proof_is_left_alone(chat: Chat) -> None:
    order_id = await chat.order()

    await chat.take(await chat.store(b"OggS\x00 a voice message"))

    assert await chat.versions(order_id) == 0
    assert (await chat.counter.order_of(order_id))["status"] == "awaiting_proof"


async def test_file_that_is_not_there_yet_is_tried_again(chat: Chat) -> None:
    order_id = await chat.order()
    key = "companies/x/private/media/1-not-there.jpg"

    with pytest.raises(StorageError):
        await take_message(chat.counter.resources, Sent(UUID(chat.lead_id), uuid4(), key))

    assert await chat.versions(order_id) == 0


async def test_id_of_a_lead_that_was_joined_finds_the_order(chat: Chat) -> None:
    twin = await add_lead(chat.counter.person, chat.counter.store_id, "5531977776666")
    order_id = await chat.order()
    path = f"/v1/leads/{twin['id']}/merge"
    await chat.counter.person.post(path, {"lead_id": chat.lead_id}, 200)

    await chat.take(await chat.store(new_receipt()))

    assert await chat.versions(order_id) == 1
