import io
import zipfile

import pytest

from tests.documents import files
from vek1_api.files.filetypes import FileType, UnsupportedFileTypeError, sniff


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (files.pdf(["Olá"]), FileType.PDF),
        (b"\n\n" + files.pdf(["Olá"]), FileType.PDF),
        (b"rubbish before it\n" + files.pdf(["Olá"]), FileType.PDF),
        (files.docx_file(lambda document: document.add_paragraph("Olá")), FileType.DOCX),
        (zipped("[Content_Types].xml", "word/document2.xml"), FileType.DOCX),
        (files.PNG, FileType.PNG),
        (files.JPEG, FileType.JPEG),
        (files.GIF, FileType.GIF),
        (files.WEBP, FileType.WEBP),
        (b"a;b\n1;2\n", FileType.TEXT),
        ("Preço: 12,90 €".encode(), FileType.TEXT),
        ("\ufeffPreço".encode(), FileType.TEXT),
        ("Preço à vista".encode("cp1252"), FileType.TEXT),
        ("Preço".encode("utf-16"), FileType.TEXT),
        ("\ufeffPreço".encode("utf-16-be"), FileType.TEXT),
        (b"How to read a %PDF-1.7 header.", FileType.TEXT),
        (b"MZ is how programs begin.", FileType.TEXT),
    ],
)
def test_content_decides(content: bytes, kind: FileType) -> None:
    assert sniff(io.BytesIO(content)) is kind
    assert sniff(io.BytesIO(content), "evil.exe") is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tabela.csv", FileType.CSV),
        ("TABELA.CSV", FileType.CSV),
        ("tabela.tsv", FileType.CSV),
        ("faq.md", FileType.MARKDOWN),
        ("faq.markdown", FileType.MARKDOWN),
        ("leia-me.txt", FileType.TEXT),
        ("manual.pdf", FileType.TEXT),
        ("sem-nome", FileType.TEXT),
        (None, FileType.TEXT),
    ],
)
def test_a_name_only_chooses_between_texts(name: str | None, kind: FileType) -> None:
    assert sniff(io.BytesIO("produto;preço\n".encode()), name) is kind
    assert sniff(io.BytesIO(files.PNG), name) is FileType.PNG


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (files.WINDOWS_PROGRAM, "a Windows program"),
        (b"\x7fELF\x02\x01", "a Linux program"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Office file (.doc, .xls); save it as .docx"),
        (b"{\\rtf1\\ansi", "an RTF file"),
        (b"\x1f\x8b\x08\x00", "an archive"),
        (b"\n <!DOCTYPE html><p>", "an HTML page"),
        (b"\x00\x00\x00\x18ftypheic", "a video or an iPhone picture (HEIC)"),
        (zipped("a.txt", "not/word/document.xml"), "a ZIP archive"),
        (zipped("xl/workbook.xml"), "an Excel workbook; save it as CSV"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"", "an empty file"),
        (b"text with a NUL \x00 in it", "binary data"),
        (b"text " * 20_000 + b"\x00", "binary data"),
        (bytes(range(1, 256)) * 4, "binary data"),
    ],
)
def test_anything_else_is_refused_whatever_its_name(content: bytes, found: str) -> None:
    for name in ("manual.pdf", "tabela.csv", None):
        with pytest.raises(UnsupportedFileTypeError) as caught:
            sniff(io.BytesIO(content), name)
        assert caught.value.found == found
        assert str(caught.value).startswith(f"This looks like {found}. Upload a PDF")


def test_the_stream_is_left_at_its_start() -> None:
    stream = io.BytesIO(files.pdf(["Olá"]))
    stream.seek(7)
    sniff(stream)
    assert stream.tell() == 0
    with pytest.raises(UnsupportedFileTypeError):
        sniff(bomb := io.BytesIO(b"PK\x03\x04" + bytes(99)))
    assert bomb.tell() == 0


def test_each_kind_has_its_media_type_and_ending() -> None:
    assert [(kind.mime_type, kind.extension) for kind in FileType] == [
        ("application/pdf", ".pdf"),
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            ".docx",
        ),
        ("text/csv", ".csv"),
        ("text/plain", ".txt"),
        ("text/markdown", ".md"),
        ("image/jpeg", ".jpg"),
        ("image/png", ".png"),
        ("image/gif", ".gif"),
        ("image/webp", ".webp"),
    ]
