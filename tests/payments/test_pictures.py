"""The picture of an order's code."""

import pytest

from tests.payments.till import Till, outcome
from vek1_api.pix import qr


@pytest.mark.parametrize("method", ["pix_manual", "pix_gateway"])
async def test_code_is_drawn_for_a_phone_and_for_a_printer(method: str, till: Till) -> None:
    order = await till.start(await till.order(), method)
    code, path = order["payment"]["br_code"], f"/v1/orders/{order['id']}/payment/qr"

    png = await till.owner.request("GET", f"{path}.png")
    svg = await till.owner.request("GET", f"{path}.svg")

    assert (png.headers["content-type"], png.content) == ("image/png", qr.png(code))
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert svg.content == qr.svg(code, "PIX do pedido 1")
    for picture in (png, svg):
        assert picture.headers["cache-control"] == "private, no-cache"
        known = {"If-None-Match": picture.headers["etag"]}
        again = await till.owner.request("GET", str(picture.url.path), headers=known)
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("kind", ["png", "svg"])
@pytest.mark.parametrize("method", [None, "cash_on_delivery"])
async def test_where_there_is_no_code_there_is_no_picture(
    method: str | None, kind: str, till: Till
) -> None:
    order = await till.order()
    if method is not None:
        await till.start(order, method)

    response = await till.owner.request(
        "GET", f"/v1/orders/{order['id']}/payment/qr.{kind}"
    )

    assert outcome(response) == (404, "not_found")
