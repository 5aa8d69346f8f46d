"""QR codes of a text, for a page or a printer."""

from base64 import b64encode
from io import BytesIO

import segno

SCALE = 6
"""Pixels of a module: a phone reads it from a screen, and it stays under two kilobytes."""
BORDER = 4
"""Modules of white around it, which the standard demands."""


def png(text: str) -> bytes:
    """Return the text as a QR code, a PNG; ``ValueError`` if it is too long for one."""
    out = BytesIO()
    _drawn(text).save(out, kind="png", scale=SCALE, border=BORDER)
    return out.getvalue()


def png_data_uri(text: str) -> str:
    """Return the same picture as an address that carries it, for an ``img``."""
    return f"data:image/png;base64,{b64encode(png(text)).decode()}"


def svg(text: str, title: str) -> bytes:
    """Return the text as a QR code, an SVG on white, with a title for who cannot see it.

    It has the size of the PNG, and scales to any other with its edges sharp.
    """
    code, out = _drawn(text), BytesIO()
    code.save(
        out,
        kind="svg",
        border=BORDER,
        light="#fff",
        title=title,
        omitsize=True,
        svgclass=None,
        lineclass=None,
    )
    width, height = code.symbol_size(SCALE, BORDER)
    size = f'<svg width="{width}" height="{height}" shape-rendering="crispEdges" '
    return out.getvalue().replace(b"<svg ", size.encode(), 1)


def _drawn(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="m")
