from pathlib import Path

import pytest
from docx.document import Document

from tests.documents import files
from vek1_api.documents.extraction import (
    MAX_CHARS,
    ExtractedText,
    ExtractionCode,
    ExtractionError,
    PageSpan,
    extract,
)
from vek1_api.documents.extractors import hyphens
from vek1_api.files.filetypes import FileType


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    return tmp_path / "original"


def text_of(path: Path, content: bytes, kind: FileType) -> str:
    path.write_bytes(content)
    return extract(path, kind).text


def refusal_of(path: Path, content: bytes, kind: FileType) -> ExtractionError:
    path.write_bytes(content)
    with pytest.raises(ExtractionError) as caught:
        extract(path, kind)
    return caught.value


def test_a_pdf_gives_headings_paragraphs_and_pages(stored: Path) -> None:
    stored.write_bytes(
        files.pdf(
            [
                "# Limpeza",
                "Use um pano macio,",
                "sem produtos abrasivos.",
                "",
                "Seque bem.",
            ],
            [],
            ["Guarde em lugar seco."],
        )
    )
    first = "# Limpeza\n\nUse um pano macio,\nsem produtos abrasivos.\n\nSeque bem."
    extracted = extract(stored, FileType.PDF)
    assert extracted == ExtractedText(
        f"{first}\n\nGuarde em lugar seco.",
        (PageSpan(1, 0, 65), PageSpan(2, 65, 65), PageSpan(3, 67, 88)),
    )
    assert extracted.text[67:88] == "Guarde em lugar seco."


def test_a_paragraph_that_runs_over_a_page_stays_one(stored: Path) -> None:
    content = files.pdf(["Limpe o bico com um pano"], ["úmido depois do uso."], ["Seque."])
    assert text_of(stored, content, FileType.PDF) == (
        "Limpe o bico com um pano\númido depois do uso.\n\nSeque."
    )


def test_running_footers_are_kept_once(stored: Path) -> None:
    pages = [[f"Capítulo {word}.", "Texto."] for word in ("um", "dois", "três", "quatro")]
    content = files.pdf(*pages, footer="Manual Aurora, página {}")
    text = text_of(stored, content, FileType.PDF)
    assert text.count("Manual Aurora") == 1
    assert [f"Capítulo {word}." in text for word in ("um", "dois", "três", "quatro")] == [
        True
    ] * 4


def test_lines_that_differ_in_a_price_are_no_footers(stored: Path) -> None:
    pages = [[f"Café {grams} g: R$ {grams // 10},90"] for grams in (100, 250, 500, 750)]
    text = text_of(stored, files.pdf(*pages), FileType.PDF)
    assert [f"Café {grams} g" in text for grams in (100, 250, 500, 750)] == [True] * 4


def test_words_broken_at_line_ends_are_joined(stored: Path) -> None:
    content = files.pdf(
        ["O texto foi que-", "brado aqui e vende-", "se o item AB-", "1234."]
    )
    assert text_of(stored, content, FileType.PDF) == (
        "O texto foi quebrado aqui e vende-se o item AB-1234."
    )


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("pala\ufffevra", "palavra"),
        ("pala\xad\nvra", "palavra"),
        ("pós\ufffevenda", "pós-venda"),
        ("segunda\ufffefeira", "segunda-feira"),
        ("dar\ufffelhe", "dar-lhe"),
        ("guarda\ufffechuva e guarda-chuva", "guarda-chuva e guarda-chuva"),
        ("super\ufffese e superse", "superse e superse"),
        ("de\ufffeva\ufffegar", "devagar"),
        ("clas\ufffese", "classe"),
        ("bo\ufffela", "bola"),
        ("comprá\ufffelas", "comprá-las"),
        ("ex\ufffecelente", "excelente"),
        ("10\ufffe20", "10-20"),
        ("São\ufffePaulo", "São-Paulo"),
    ],
)
def test_a_hyphen_stays_where_portuguese_writes_it(broken: str, whole: str) -> None:
    assert hyphens.join([broken]) == [whole]


def test_a_locked_pdf_is_encrypted(stored: Path) -> None:
    refusal = refusal_of(stored, files.pdf(["Olá"], password="segredo"), FileType.PDF)
    assert refusal.code is ExtractionCode.ENCRYPTED
    assert refusal.message == (
        "The file is protected by a password. Save a copy without the password and upload "
        "that."
    )


def test_a_scan_has_no_text(stored: Path) -> None:
    refusal = refusal_of(stored, files.pdf([], []), FileType.PDF)
    assert refusal.code is ExtractionCode.NO_TEXT


def test_two_thousand_pages_are_read_and_one_more_is_refused(stored: Path) -> None:
    allowed = refusal_of(stored, files.pdf_with_pages(2_000), FileType.PDF)
    assert allowed.code is ExtractionCode.NO_TEXT  # Read, and found empty.
    refusal = refusal_of(stored, files.pdf_with_pages(2_001), FileType.PDF)
    assert refusal.code is ExtractionCode.TOO_MANY_PAGES
    assert refusal.message == (
        "The file has 2,001 pages; at most 2,000 are read. Split it and upload the parts."
    )


@pytest.mark.parametrize("kind", [FileType.PDF, FileType.DOCX])
def test_rubbish_is_corrupt_with_a_reason_for_the_log(stored: Path, kind: FileType) -> None:
    refusal = refusal_of(stored, b"%PDF-1.7 PK\x03\x04 rubbish", kind)
    assert refusal.code is ExtractionCode.CORRUPT
    assert refusal.detail


def test_a_docx_keeps_order_headings_lists_and_tables(stored: Path) -> None:
    def write(document: Document) -> None:
        document.add_heading("Política", 0)
        document.add_heading("Prazos", 1)
        document.add_paragraph("Conte da entrega.")
        document.add_paragraph("Café moído", style="List Bullet")
        document.add_paragraph("Peças", style="List Number")
        table = document.add_table(3, 2)
        rows = [["Situação", "Prazo"], ["Arrependimento", "7 dias"], ["Defeito", "30 dias"]]
        for row, texts in zip(table.rows, rows, strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
        document.add_paragraph("Fim.")

    assert text_of(stored, files.docx_file(write), FileType.DOCX) == (
        "# Política\n\n## Prazos\n\nConte da entrega.\n\n- Café moído\n- Peças\n\n"
        "Situação: Arrependimento; Prazo: 7 dias\nSituação: Defeito; Prazo: 30 dias\n\nFim."
    )


def test_a_docx_gives_what_readers_see_and_nothing_deleted(stored: Path) -> None:
    body = (
        "<w:p><w:ins><w:r><w:t>Entrega</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>Frete</w:delText></w:r></w:del>"
        "<w:r><w:t xml:space='preserve"
        "'> em</w:t><w:br/><w:t>5</w:t><w:noBreakHyphen/><w:t>7 dias</w:t></w:r></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>Controle</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val='Table of Contents'/>"
        "</w:docPartObj></w:sdtPr><w:sdtContent><w:p><w:r><w:t>Sumário 1</w:t></w:r></w:p>"
        "</w:sdtContent></w:sdt>"
        "<w:p><mc:AlternateContent><mc:Choice><w:r><w:t>Caixa</w:t></w:r></mc:Choice>"
        "<mc:Fallback><w:r><w:t>Caixa</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>"
    )
    content = files.docx_with_body(files.word_xml(body))
    assert (
        text_of(stored, content, FileType.DOCX)
        == "Entrega em\n5-7 dias\n\nControle\n\nCaixa"
    )


def test_merged_cells_repeat_the_cell_above(stored: Path) -> None:
    def cell(text: str, merge: str = "") -> str:
        return (
            f"<w:tc><w:tcPr>{merge}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"
        )

    rows = [
        cell("Linha") + cell("Produto"),
        cell("Cafés", "<w:vMerge w:val='restart'/>") + cell("Clássico"),
        cell("", "<w:vMerge/>") + cell("Intenso"),
    ]
    table = "".join(f"<w:tr>{row}</w:tr>" for row in rows)
    content = files.docx_with_body(files.word_xml(f"<w:tbl>{table}</w:tbl>"))
    assert text_of(stored, content, FileType.DOCX) == (
        "Linha: Cafés; Produto: Clássico\nLinha: Cafés; Produto: Intenso"
    )


@pytest.mark.parametrize(
    ("bomb", "code"),
    [
        (files.zip_bomb, ExtractionCode.TOO_LARGE),
        (files.lying_zip_bomb, ExtractionCode.CORRUPT),
        (files.billion_laughs, ExtractionCode.CORRUPT),
    ],
)
def test_a_bomb_is_refused(stored: Path, bomb: object, code: ExtractionCode) -> None:
    assert callable(bomb)
    assert refusal_of(stored, bomb(), FileType.DOCX).code is code


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_each_row_of_a_csv_names_its_columns(
    stored: Path, delimiter: str, encoding: str
) -> None:
    rows = [["produto", "preço"], ["Café à mão", "R$ 12.90"], ["Chá", ""]]
    content = "\r\n".join(delimiter.join(row) for row in rows)
    assert text_of(stored, content.encode(encoding), FileType.CSV) == (
        "produto: Café à mão; preço: R$ 12.90\nproduto: Chá"
    )


def test_decimal_commas_do_not_mislead(stored: Path) -> None:
    content = b"nome;preco\nA;1,50\nB;2,50\nC;3,50\n"
    assert text_of(stored, content, FileType.CSV) == (
        "nome: A; preco: 1,50\nnome: B; preco: 2,50\nnome: C; preco: 3,50"
    )


def test_quoted_cells_may_hold_delimiters_and_lines(stored: Path) -> None:
    content = 'nome;nota\n"Moedor; aço";"linha 1\r\nlinha ""2"""\n'.encode()
    assert text_of(stored, content, FileType.CSV) == (
        'nome: Moedor; aço; nota: linha 1 linha "2"'
    )


def test_a_lone_quote_swallows_nothing(stored: Path) -> None:
    content = 'nome;preço\nCano 1/2";8\nCano 3/4;9\n'.encode()
    assert text_of(stored, content, FileType.CSV) == (
        'nome: Cano 1/2"; preço: 8\nnome: Cano 3/4; preço: 9'
    )


def test_titles_and_categories_of_a_price_list_become_headings(stored: Path) -> None:
    content = b"sep=;\nTabela;;\nnome;preco;un\nCAFES;;\nA;1;kg\nCHAS;;\nB;2;kg\n"
    assert text_of(stored, content, FileType.CSV) == (
        "## Tabela\n\n\n## CAFES\n\nnome: A; preco: 1; un: kg\n\n## CHAS\n\n"
        "nome: B; preco: 2; un: kg"
    )


def test_rows_without_a_header_are_kept_as_they_are(stored: Path) -> None:
    content = b"Cafe;12,90;kg\nCha;8,00;un\n"
    assert text_of(stored, content, FileType.CSV) == "Cafe | 12,90 | kg\nCha | 8,00 | un"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_every_usual_encoding_reads_the_same(stored: Path, encoding: str) -> None:
    content = "Não há devolução.\r\nFim".encode(encoding)
    assert text_of(stored, content, FileType.TEXT) == "Não há devolução.\nFim"


def test_one_bad_byte_does_not_turn_utf8_into_gibberish(stored: Path) -> None:
    content = ("Devolução à mão, só até amanhã, é grátis, não há ônus. ".encode()) + b"\xe7"
    assert text_of(stored, content, FileType.TEXT) == (
        "Devolução à mão, só até amanhã, é grátis, não há ônus. \ufffd"
    )


def test_text_is_cleaned(stored: Path) -> None:
    content = "e\u0301 \ufb01m\x07\xa0pa\xadla\u200bvra\u2028x\ry\x85z".encode()
    assert text_of(stored, content, FileType.MARKDOWN) == "é fim palavra\nx\ny\nz"


def test_text_has_a_limit(stored: Path) -> None:
    assert len(text_of(stored, b"x" * MAX_CHARS, FileType.TEXT)) == MAX_CHARS
    refusal = refusal_of(stored, b"x" * (MAX_CHARS + 1), FileType.TEXT)
    assert refusal.code is ExtractionCode.TOO_LARGE
    assert refusal.message == (
        "The file holds more than 5,000,000 characters of text. Split it and upload the "
        "parts."
    )


@pytest.mark.parametrize("content", [b" \n\t", b"--- ... ___"])
def test_text_without_a_letter_is_no_text(stored: Path, content: bytes) -> None:
    assert refusal_of(stored, content, FileType.TEXT).code is ExtractionCode.NO_TEXT


@pytest.mark.parametrize("kind", [FileType.JPEG, FileType.PNG, FileType.GIF, FileType.WEBP])
def test_pictures_have_no_text(stored: Path, kind: FileType) -> None:
    assert refusal_of(stored, files.PNG, kind).code is ExtractionCode.NO_TEXT
