"""The demo shop's files are what they claim, and its golden set quotes them exactly."""

import csv
import io
import json
import re
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from docx import Document

DEMO = Path(__file__).parents[2] / "src" / "vek1_api" / "demo"
FILES = DEMO / "files"
MANUAL = "manual-aurora-20-bar.pdf"
POLICY = "politica-de-trocas-e-devolucoes.docx"
PRICES = "tabela-de-precos.csv"
PLAIN = ["guia-de-moagem.md", "perguntas-frequentes.md", "sobre-a-loja.txt"]
KINDS = {"paraphrase", "keyword", "typo", "colloquial"}
CODE = re.compile(r"\b(?:[a-z]{2,3}(?:-[a-z0-9]+)+|e\d\d|dc)\b", re.IGNORECASE)


def golden() -> list[dict[str, Any]]:
    lines = (DEMO / "golden.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def one_spaced(text: str) -> str:
    return " ".join(text.split())


@cache
def pages(name: str) -> list[str]:
    """Return the text of a file, a string a page; only the PDF has more than one."""
    if name == MANUAL:
        with pypdfium2.PdfDocument(FILES / name) as pdf:
            return [one_spaced(page.get_textpage().get_text_range()) for page in pdf]
    if name == POLICY:
        blocks = Document(str(FILES / name)).iter_inner_content()
        return [one_spaced(" ".join(_words(block) for block in blocks))]
    if name == PRICES:
        return [one_spaced(" ".join(cell for row in prices() for cell in row.values()))]
    return [one_spaced((FILES / name).read_text("utf-8"))]


def _words(block: Any) -> str:
    if hasattr(block, "rows"):
        return " ".join(cell.text for row in block.rows for cell in row.cells)
    return str(block.text)


def prices() -> list[dict[str, str]]:
    text = (FILES / PRICES).read_bytes().decode("latin-1")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def places(passage: str) -> list[tuple[str, int]]:
    return [
        (file.name, number)
        for file in sorted(FILES.iterdir())
        for number, page in enumerate(pages(file.name), 1)
        for _ in range(page.count(passage))
    ]


def test_golden_set_is_large_and_varied() -> None:
    questions = golden()
    kinds = Counter(question["kind"] for question in questions)

    assert len(questions) >= 72
    assert set(kinds) == KINDS
    assert min(kinds.values()) >= 10
    assert sum(bool(CODE.search(question["question"])) for question in questions) >= 12


@pytest.mark.parametrize("field", ["id", "question", "passage"])
def test_golden_set_repeats_nothing(field: str) -> None:
    values = Counter(question[field] for question in golden())

    assert [value for value, times in values.items() if times > 1] == []


def test_golden_set_asks_about_every_file() -> None:
    asked = {question["file"] for question in golden()}

    assert asked == {file.name for file in FILES.iterdir()}


def test_golden_passages_are_short_quotes() -> None:
    lengths = [len(question["passage"]) for question in golden()]

    assert min(lengths) >= 10
    assert max(lengths) <= 160


def test_golden_passages_stand_once_in_the_corpus_where_the_set_says() -> None:
    wrong = {
        question["id"]: found
        for question in golden()
        if (found := places(question["passage"]))
        != [(question["file"], question["page"] or 1)]
    }

    assert wrong == {}


def test_golden_pages_are_given_for_the_manual_alone() -> None:
    with_page = {question["file"] for question in golden() if question["page"]}
    without_page = {question["file"] for question in golden() if not question["page"]}

    assert with_page == {MANUAL}
    assert MANUAL not in without_page


def test_manual_is_a_pdf_whose_footers_count_its_pages() -> None:
    texts = pages(MANUAL)

    assert (FILES / MANUAL).read_bytes().startswith(b"%PDF-1.")
    assert 12 <= len(texts) <= 20
    footers = [re.findall(r"Página (\d+)", text) for text in texts]
    assert footers == [[], *([str(number)] for number in range(2, len(texts) + 1))]


def test_policy_is_a_word_document_with_headings_a_list_and_tables() -> None:
    document = Document(str(FILES / POLICY))
    styles = Counter(str(paragraph.style.name) for paragraph in document.paragraphs
                     if paragraph.style)  # fmt: skip

    with zipfile.ZipFile(FILES / POLICY) as archive:
        assert "word/document.xml" in archive.namelist()
    assert styles["Heading 1"] == 10
    assert styles["List Number"] == 5
    assert len(document.tables) == 2


def test_price_list_is_latin_1_and_not_utf_8() -> None:
    raw = (FILES / PRICES).read_bytes()

    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    assert "Café Serra Azul Clássico 500 g" in raw.decode("latin-1")
    assert raw.count(b"\n") == raw.count(b"\r\n")


def test_price_list_has_a_code_and_a_brazilian_price_in_every_row() -> None:
    rows = prices()
    codes = [row["codigo"] for row in rows]

    assert 60 <= len(rows) <= 120
    assert list(rows[0]) == [
        "codigo", "nome", "descricao", "categoria", "unidade", "preco", "estoque",
    ]  # fmt: skip
    assert len(set(codes)) == len(codes)
    assert all(CODE.fullmatch(code) for code in codes)
    assert all(re.fullmatch(r"(\d{1,3}\.)*\d{1,3},\d\d", row["preco"]) for row in rows)
    assert all(row["estoque"].isdecimal() for row in rows)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_texts_are_utf_8_without_a_mark(name: str) -> None:
    text = (FILES / name).read_bytes().decode("utf-8")

    assert text.replace("\n", "").isprintable()
    assert not text.startswith("\ufeff")


def test_faq_answers_more_than_25_questions() -> None:
    text = (FILES / "perguntas-frequentes.md").read_text("utf-8")

    assert len(re.findall(r"^### .+\?$", text, re.MULTILINE)) > 25


def test_files_stay_small() -> None:
    assert sum(file.stat().st_size for file in FILES.iterdir()) < 300_000
