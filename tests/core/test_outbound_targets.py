"""Where messages may go."""

from collections.abc import Sequence

import pytest

from vek1_api.core.outbound.targets import (
    TargetRefusedError,
    checked_addresses,
    checked_url,
    resolve,
)

PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.10",
    "100.64.0.1",
    "198.18.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "fd12:3456::1",
    "fec0::1",
    "2001:db8::1",
]
NEVER = [
    "0.0.0.0",  # noqa: S104 - Nobody listens there.
    "::",
    "169.254.169.254",
    "169.254.7.7",
    "168.63.129.16",
    "100.100.100.200",
    "fd00:ec2::254",
    "fe80::1",
    "224.0.0.251",
    "239.1.2.3",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.215.14",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::1",
    "2001:0:1::1",
]


async def judged(answers: Sequence[str], *, private_allowed: bool = False) -> list[str]:
    async def answer(_host: str, _port: int) -> Sequence[str]:
        return answers

    return await checked_addresses(
        "erp.example.com", 443, answer, private_allowed=private_allowed
    )


@pytest.mark.parametrize("address", PUBLIC)
async def test_public_address_may_be_connected_to(address: str) -> None:
    assert await judged([address]) == [address]


@pytest.mark.parametrize("address", [*INSIDE, *NEVER])
async def test_name_that_leads_inside_is_refused(address: str) -> None:
    with pytest.raises(TargetRefusedError) as refused:
        await judged([address])

    assert address not in str(refused.value)


@pytest.mark.parametrize("address", INSIDE)
async def test_private_address_is_taken_where_it_is_allowed(address: str) -> None:
    assert await judged([address], private_allowed=True) == [address]


@pytest.mark.parametrize("address", NEVER)
async def test_some_addresses_are_never_taken(address: str) -> None:
    with pytest.raises(TargetRefusedError):
        await judged([address], private_allowed=True)


async def test_one_address_inside_refuses_all_of_a_name() -> None:
    with pytest.raises(TargetRefusedError):
        await judged([PUBLIC[0], "10.0.0.1"])


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
async def test_odd_spellings_of_an_address_are_judged_by_what_they_mean(host: str) -> None:
    with pytest.raises(TargetRefusedError):
        await checked_addresses(host, 443, resolve, private_allowed=False)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://erp.example.com/", "begin with https://"),
        ("ftp://erp.example.com/", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("erp.example.com", "begin with https://"),
        ("https://", "names no host"),
        ("https:///stock", "names no host"),
        ("https://ana:senha@erp.example.com/", "user name or password"),
        ("https://ana@erp.example.com/", "user name or password"),
        ("https://erp.example.com/#there", "fragment"),
        ("https://erp.example.com:22/", "Port 22"),
        ("https://erp.example.com:0/", "Port 0"),
        ("https://erp.example.com:99999/", "Port 99999"),
        ("https://[::1/", "not an address"),
        ("https://127.0.0.1/", "private or reserved"),
        ("https://[::1]/", "private or reserved"),
        ("https://[::ffff:10.0.0.1]/", "private or reserved"),
        ("https://169.254.169.254/latest/meta-data", "private or reserved"),
        ("https://erp.example.com/" + "a" * 2_000, "longer than"),
    ],
)
def test_address_that_can_be_none_is_refused_as_it_is_written(
    url: str, reason: str
) -> None:
    with pytest.raises(TargetRefusedError, match=reason):
        checked_url(url, private_allowed=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://erp.example.com",
        "https://erp.example.com:8443/a/b?token=c",
        "https://açaí.example.com/",
        "https://93.184.215.14/",
    ],
)
def test_ordinary_address_is_taken(url: str) -> None:
    assert checked_url(url, private_allowed=False).scheme == "https"


def test_plain_http_is_taken_where_private_addresses_are_allowed() -> None:
    url = checked_url("http://127.0.0.1:9000/stock", private_allowed=True)

    assert (url.host, url.port) == ("127.0.0.1", 9000)
