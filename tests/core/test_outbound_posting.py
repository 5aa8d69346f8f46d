"""One POST to somebody else's server, over real sockets."""

import gzip
import ssl
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook

from tests.fakes.erp_receiver import ErpReceiver, Reaction
from vek1_api.core import clock
from vek1_api.core.outbound import Outcome, Poster, next_attempt, signed_headers
from vek1_api.core.outbound.posting import MAX_ANSWER_BYTES, retry_after
from vek1_api.core.outbound.retrying import WAITS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SHORT = timedelta(seconds=0.15)


@pytest.fixture
async def receiver() -> AsyncGenerator[ErpReceiver]:
    async with ErpReceiver() as opened:
        yield opened


def poster(url: str, patience: timedelta = timedelta(seconds=5)) -> Poster:
    return Poster(url, private_allowed=True, patience=patience)


async def test_message_arrives_as_it_was_signed(receiver: ErpReceiver) -> None:
    body = '{"título":"Café"}'.encode()
    headers = signed_headers("msg_1", clock.now(), body, [SECRET])
    async with poster(receiver.url) as sender:
        outcome = await sender.post(body, headers)

    (message,) = receiver.received
    assert (outcome.status, outcome.error, outcome.answer) == (200, None, None)
    assert outcome.is_delivered
    assert (message.path, message.body) == ("/stock?shop=1", body)
    assert message.headers["content-type"] == "application/json"
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert message.is_signed_with(SECRET)


async def test_connection_is_kept_between_messages(receiver: ErpReceiver) -> None:
    async with poster(receiver.url) as sender:
        for _ in range(3):
            assert (await sender.post(b"{}", {})).is_delivered

    assert (len(receiver.received), receiver.connections) == (3, 1)


async def test_redirect_is_not_followed(receiver: ErpReceiver) -> None:
    receiver.reactions.append(Reaction(307, {"location": f"{receiver.url}/elsewhere"}))
    async with poster(receiver.url) as sender:
        outcome = await sender.post(b"{}", {})

    assert (outcome.status, outcome.error) == (307, "redirect")
    assert len(receiver.received) == 1


async def test_answer_is_read_up_to_a_bound_and_never_unpacked(
    receiver: ErpReceiver,
) -> None:
    bomb = gzip.compress(bytes(5_000_000))
    receiver.reactions += [
        Reaction(500, body=b"\xff\x00" + b"a" * 100_000),
        Reaction(500, {"content-encoding": "gzip"}, bomb),
    ]
    async with poster(receiver.url) as sender:
        long, packed = [await sender.post(b"{}", {}) for _ in range(2)]

    assert long.answer == "\ufffd\ufffd" + "a" * (MAX_ANSWER_BYTES - 2)
    assert packed.answer is not None
    assert len(packed.answer) <= MAX_ANSWER_BYTES
    assert receiver.received[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "reaction", [Reaction(delay_seconds=5), Reaction(byte_seconds=0.02)], ids=repr
)
async def test_patience_is_for_all_of_it(receiver: ErpReceiver, reaction: Reaction) -> None:
    receiver.reactions.append(reaction)
    began = time.monotonic()
    async with poster(receiver.url, SHORT) as sender:
        outcome = await sender.post(b"{}", {})

    assert (outcome.status, outcome.error) == (None, "timeout")
    assert time.monotonic() - began < 1
    assert 150 <= outcome.duration_ms < 1_000


async def test_broken_connection_and_closed_port_are_told_apart(
    receiver: ErpReceiver,
) -> None:
    receiver.reactions.append(Reaction(is_dropped=True))
    async with poster(receiver.url) as sender:
        broken = await sender.post(b"{}", {})
    async with poster("http://127.0.0.1:9999/") as sender:
        closed = await sender.post(b"{}", {})

    assert (broken.error, closed.error) == ("broken_answer", "unreachable")


async def test_server_that_never_speaks_tls_costs_no_more_patience(
    receiver: ErpReceiver,
) -> None:
    async with poster(f"https://127.0.0.1:{receiver.port}/", SHORT) as sender:
        outcome = await sender.post(b"{}", {})

    assert outcome.error == "timeout"
    assert receiver.received == []


def certified(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server proves itself with, and what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    both = folder / "server.pem"
    both.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(both)
    return server, ssl.create_default_context(cafile=str(both))


async def test_tls_is_with_the_name_although_the_connection_is_to_an_address(
    tmp_path: Path,
) -> None:
    server, trusting = certified("erp.example.com", tmp_path)

    async def here(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async def said(port: int, name: str, trust: ssl.SSLContext | None) -> Outcome:
        url = f"https://{name}:{port}/"
        async with Poster(url, private_allowed=True, resolver=here, verify=trust) as sender:
            return await sender.post(b"{}", {})

    async with ErpReceiver(server) as guarded:
        proved = await said(guarded.port, "erp.example.com", trusting)
        other = await said(guarded.port, "other.example.com", trusting)
        stranger = await said(guarded.port, "erp.example.com", None)

    assert proved.is_delivered
    assert guarded.names[0] == "erp.example.com"
    assert (other.error, stranger.error) == ("tls", "tls")
    assert len(guarded.received) == 1


async def test_no_cookie_comes_back(receiver: ErpReceiver) -> None:
    receiver.reactions.append(Reaction(200, {"set-cookie": "who=me"}))
    async with poster(receiver.url) as sender:
        for _ in range(2):
            await sender.post(b"{}", {})

    assert "cookie" not in receiver.received[1].headers


async def test_proxy_of_the_environment_is_not_asked(
    receiver: ErpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9999")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9999")
    async with poster(receiver.url) as sender:
        assert (await sender.post(b"{}", {})).is_delivered


async def test_connection_goes_to_the_address_that_was_checked(
    receiver: ErpReceiver,
) -> None:
    asked: list[tuple[str, int]] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        """Answer with the receiver first, and with another machine from then on."""
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["::1"]

    url = f"http://erp.example.com:{receiver.port}/stock"
    async with Poster(url, private_allowed=True, resolver=rebinding) as sender:
        first = await sender.post(b"{}", {})
        second = await sender.post(b"{}", {})

    assert first.is_delivered
    assert receiver.received[0].headers["host"] == f"erp.example.com:{receiver.port}"
    assert asked == [("erp.example.com", receiver.port)] * 2
    assert second.error == "unreachable"
    assert len(receiver.received) == 1


async def test_name_that_points_inside_at_a_later_attempt_is_refused(
    receiver: ErpReceiver,
) -> None:
    answers = iter([[], ["127.0.0.1"]])

    async def rebinding(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    url = f"https://erp.example.com:{receiver.port}/stock"
    async with Poster(
        url, private_allowed=False, resolver=rebinding, patience=SHORT
    ) as sender:
        nowhere = await sender.post(b"{}", {})
        inside = await sender.post(b"{}", {})

    assert nowhere.error == "unreachable"
    assert (inside.error, inside.status) == ("target_refused", None)
    assert receiver.connections == 0


async def test_next_address_of_a_name_is_tried(receiver: ErpReceiver) -> None:
    async def both(_host: str, _port: int) -> Sequence[str]:
        return ["::1", "127.0.0.1"]

    url = f"http://erp.example.com:{receiver.port}/"
    async with Poster(url, private_allowed=True, resolver=both) as sender:
        assert (await sender.post(b"{}", {})).is_delivered


async def test_name_without_an_address_is_unreachable() -> None:
    async def nothing(_host: str, _port: int) -> Sequence[str]:
        return []

    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    for resolver in (nothing, unknown):
        url = "https://erp.example.com/"
        async with Poster(url, private_allowed=False, resolver=resolver) as sender:
            assert (await sender.post(b"{}", {})).error == "unreachable"


def test_signature_is_that_of_the_published_example() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    brasilia = at.astimezone(timezone(timedelta(hours=-3)))
    body = b'{"test": 2432232314}'

    for moment in (at, brasilia):
        headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", moment, body, [SECRET])
        assert headers == {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }


def test_secret_that_somebody_else_made_is_itself_the_key() -> None:
    body = b"{}"
    headers = signed_headers("msg_1", clock.now(), body, ["segredo do ERP"])

    Webhook(b"segredo do ERP").verify(body, headers)


def test_retries_come_by_the_schedule_of_the_standard_for_a_day() -> None:
    wanted = now = clock.now()
    planned = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    for failed, seconds in enumerate(planned, start=1):
        due = next_attempt(failed, wanted, now)
        assert due is not None
        wait = WAITS[failed - 1]
        assert wait <= due - now <= wait * 1.1 or due == wanted + timedelta(days=1)
        now = wanted + timedelta(seconds=seconds)

    assert next_attempt(len(planned) + 1, wanted, now) is None


def test_retry_after_is_honoured_within_the_day() -> None:
    now = clock.now()
    soon = next_attempt(1, now, now, timedelta(minutes=10))
    late = next_attempt(1, now, now, timedelta(hours=24))

    assert soon is not None
    assert timedelta(minutes=10) <= soon - now <= timedelta(minutes=11)
    assert late == now + timedelta(hours=24)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        ("0", 0),
        ("-5", None),
        ("soon", None),
        ("999999999999999999999", None),
        ("31536000", 86_400),
        ("Mon, 02 Mar 2026 14:31:00 GMT", 60),
        ("Mon, 02 Mar 2026 14:00:00 GMT", 0),
        ("Mon, 02 Mar 2026 14:31:00", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(
    header: str | None, seconds: int | None
) -> None:
    now = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)

    found = retry_after(header, now)

    assert found == (None if seconds is None else timedelta(seconds=seconds))
