"""Which kind of file some bytes are, judged by what they hold and never by their name."""

import os
import re
from enum import StrEnum
from pathlib import PurePath
from typing import BinaryIO

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 1024 * 1024
"""A ZIP lists its members at its end; a .docx of 10 MB needs a few kilobytes for it."""

MAX_CONTROL_SHARE = 0.005
"""Control characters in a text, at most; in random bytes every tenth is one."""


class FileType(StrEnum):
    """A kind of file that a shop may upload."""

    PDF = "pdf"
    DOCX = "docx"
    CSV = "csv"
    TEXT = "txt"
    MARKDOWN = "md"
    JPEG = "jpg"
    PNG = "png"
    GIF = "gif"
    WEBP = "webp"

    @property
    def mime_type(self) -> str:
        """Return the media type to store and to serve the file with."""
        return _MIME_TYPES[self]

    @property
    def extension(self) -> str:
        """Return the usual ending of a name, with its dot."""
        return f".{self.value}"


class UnsupportedFileTypeError(ValueError):
    """The content is of no kind that can be read; ``found`` says what it looks like."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"This looks like {found}. Upload a PDF, DOCX, CSV, text or Markdown file, "
            "or a JPEG, PNG, GIF or WebP image."
        )
        self.found = found


_MIME_TYPES = {
    FileType.PDF: "application/pdf",
    FileType.DOCX: "application/vnd.openxmlformats-officedocument"
    ".wordprocessingml.document",
    FileType.CSV: "text/csv",
    FileType.TEXT: "text/plain",
    FileType.MARKDOWN: "text/markdown",
    FileType.JPEG: "image/jpeg",
    FileType.PNG: "image/png",
    FileType.GIF: "image/gif",
    FileType.WEBP: "image/webp",
}

_TEXT_KINDS = {
    ".csv": FileType.CSV,
    ".tsv": FileType.CSV,
    ".md": FileType.MARKDOWN,
    ".markdown": FileType.MARKDOWN,
}

_IMAGES = (
    (re.compile(rb"\xff\xd8\xff"), FileType.JPEG),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), FileType.PNG),
    (re.compile(rb"GIF8[79]a"), FileType.GIF),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), FileType.WEBP),
)

_REFUSED = (
    (re.compile(rb"MZ.{0,1024}?\x00", re.DOTALL), "a Windows program"),
    (re.compile(rb"\x7fELF"), "a Linux program"),
    (re.compile(rb"[\xcf\xca]\xfa[\xed\xba][\xfe\xbe]|\xca\xfe\xba\xbe"), "a program"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "an old Office file (.doc, .xls); save it as .docx"),
    (re.compile(rb"\{\\rtf"), "an RTF file"),
    (re.compile(rb"\x1f\x8b|BZh[1-9]|7z\xbc\xaf|Rar!|\xfd7zXZ"), "an archive"),
    (re.compile(rb"BM.{4}\x00\x00\x00\x00|II\*\x00|MM\x00\*", re.DOTALL), "a BMP or TIFF"),
    (re.compile(rb"....ftyp", re.DOTALL), "a video or an iPhone picture (HEIC)"),
    (re.compile(rb"ID3|\xff\xfb|OggS|fLaC|RIFF"), "a sound or a video"),
    (re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE), "an HTML page"),
)

_ZIP_MEMBER = re.compile(rb"PK\x01\x02.{42}(?=(.{0,64}))", re.DOTALL)
_ZIP_KINDS = (
    (re.compile(rb"xl/"), "an Excel workbook; save it as CSV"),
    (re.compile(rb"ppt/"), "a PowerPoint file; save it as PDF"),
    (re.compile(rb"META-INF/manifest.xml"), "an OpenDocument file; save it as .docx"),
)
_WORD_BODY = re.compile(rb"word/document\d*\.xml")

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b")) + b"\x7f"


def sniff(stream: BinaryIO, filename: str | None = None) -> FileType:
    """Return what ``stream`` (seekable, left at its start) holds.

    ``filename`` only chooses between the kinds of text, which look alike: ``.csv`` and
    ``.md`` are believed, everything else that is text is plain text. It reads the file's
    two ends, and all of a text, so call it off the event loop. Raises
    :class:`UnsupportedFileTypeError`.
    """
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    try:
        return _binary(stream, head) or _text(stream, head, filename)
    finally:
        stream.seek(0)


def _binary(stream: BinaryIO, head: bytes) -> FileType | None:
    for signature, kind in _IMAGES:
        if signature.match(head):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _zip(stream)
    for signature, found in _REFUSED:
        if signature.match(head):
            raise UnsupportedFileTypeError(found)
    return FileType.PDF if _is_pdf(stream, head) else None


def _is_pdf(stream: BinaryIO, head: bytes) -> bool:
    """Readers allow a kilobyte of rubbish before a PDF; a text about PDFs is not one."""
    at = head.find(b"%PDF-", 0, 1024)
    clean_start = at >= 0 and not head[:at].strip(b"\xef\xbb\xbf \t\r\n\x00")
    return clean_start or (at >= 0 and b"%%EOF" in _tail(stream, 2048))


def _zip(stream: BinaryIO) -> FileType:
    """Tell a ZIP by its list of members, without unpacking anything."""
    names = [match[1] for match in _ZIP_MEMBER.finditer(_tail(stream, TAIL_BYTES))]
    if any(_WORD_BODY.match(name) for name in names):
        return FileType.DOCX
    for member, found in _ZIP_KINDS:
        if any(member.match(name) for name in names):
            raise UnsupportedFileTypeError(found)
    found = "a ZIP archive"
    raise UnsupportedFileTypeError(found)


def _text(stream: BinaryIO, head: bytes, filename: str | None) -> FileType:
    if not head:
        found = "an empty file"
        raise UnsupportedFileTypeError(found)
    if not head.startswith(_BOMS[1:]):  # UTF-16 holds NULs by nature.
        controls = len(head) - len(head.translate(None, _CONTROLS))
        if controls > MAX_CONTROL_SHARE * len(head) or _has_nul(stream):
            found = "binary data"
            raise UnsupportedFileTypeError(found)
    suffix = PurePath(filename or "").suffix.lower()
    return _TEXT_KINDS.get(suffix, FileType.TEXT)


def _has_nul(stream: BinaryIO) -> bool:
    stream.seek(0)
    return any(b"\x00" in block for block in iter(lambda: stream.read(HEAD_BYTES), b""))


def _tail(stream: BinaryIO, size: int) -> bytes:
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - size))
    return stream.read()
