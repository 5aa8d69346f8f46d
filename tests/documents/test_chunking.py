import random
import time

import pytest
from hypothesis import example, given, settings, strategies as st

from vek1_api.documents.chunking import MAX_CHARS, Chunk, chunk
from vek1_api.documents.extraction import PageSpan

WORDS = [
    "a",
    "o",
    "casa",
    "produto",
    "prazo",
    "entrega",
    "troca",
    "devolução",
    "garantia",
    "cafeteira",
    "limpeza",
    "água",
    "filtro",
    "manual",
    "botão",
    "ligar",
    "aquecer",
    "vapor",
    "leite",
    "moer",
    "grãos",
    "sabor",
    "caixa",
    "peça",
]


def rolled(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  (repeatable, no secret)


def sentence(dice: random.Random) -> str:
    return " ".join(dice.choices(WORDS, k=dice.randint(6, 18))).capitalize() + "."


def paragraph(dice: random.Random) -> str:
    return " ".join(sentence(dice) for _ in range(dice.randint(1, 6)))


def check(text: str, chunks: list[Chunk], max_chars: int = MAX_CHARS) -> None:
    covered = 0
    for index, each in enumerate(chunks):
        assert each.index == index
        assert each.text == text[each.start : each.end]
        assert each.text == each.text.strip()
        assert 0 < len(each.text) <= max_chars
        assert not text[covered : each.start].strip()
        covered = each.end
    assert not text[covered:].strip()
    assert [each.start for each in chunks] == sorted({each.start for each in chunks})
    assert [each.end for each in chunks] == sorted({each.end for each in chunks})


def texts(text: str, **options: int) -> list[str]:
    chunks = chunk(text, **options)  # type: ignore[arg-type]  # Only sizes are passed.
    check(text, chunks, options.get("max_chars", MAX_CHARS))
    return [each.text for each in chunks]


structured = st.lists(
    st.sampled_from(
        ["# A", "## B\n", "- item", "1. um?", "x: 1; y: 2", "a | b", "Sr. X", "Fim. Novo",
         "é", "e\u0301", "👩🏽‍🦱", "\ud83d", "\r\n", "\n\n", "\n", " ", "\t", "palavra",
         ":", "."]
    ),
    max_size=200,
).map("".join)  # fmt: skip


@given(st.one_of(structured, st.text(max_size=2_000)), st.integers(8, 60))
@example("\n" * 500, 20)
@example("a\r\n\r\nb\rc\r\n" * 50, 20)
@example("x" * 500, 8)
@example("# " + "t" * 400, 20)
@example("e" + "\u0301" * 400, 8)
@settings(deadline=None, max_examples=200)
def test_chunks_cover_the_text_in_order_within_their_size(text: str, size: int) -> None:
    chunks = chunk(text, target_chars=size, max_chars=2 * size, overlap_chars=size // 4)
    check(text, chunks, 2 * size)
    assert chunks == chunk(
        text, target_chars=size, max_chars=2 * size, overlap_chars=size // 4
    )
    check(text, chunk(text))


def test_blank_text_has_no_chunks() -> None:
    assert chunk("") == []
    assert chunk(" \r\n\t\n" * 100) == []


def test_a_heading_starts_a_chunk_and_stays_with_what_follows() -> None:
    text = "# Manual\n\n## Limpeza\n\nUse um pano.\n\n## Garantia\n\nUm ano."
    assert [(each.text, each.context) for each in chunk(text)] == [
        ("# Manual\n\n## Limpeza\n\nUse um pano.", ""),
        ("## Garantia\n\nUm ano.", "Manual"),
    ]


def test_context_is_the_path_of_headings_above_and_not_inside() -> None:
    dice = rolled(1)
    long = "\n\n".join(paragraph(dice) for _ in range(6))
    text = f"# Manual\n\n## Limpeza\n\n{long}\n\n# Outro\n\nFim."
    contexts = [each.context for each in chunk(text)]
    assert contexts[0] == ""
    assert set(contexts[1:-1]) == {"Manual > Limpeza"}
    assert contexts[-1] == ""


def test_a_long_paragraph_behind_a_heading_does_not_leave_it_alone() -> None:
    dice = rolled(2)
    body = " ".join(sentence(dice) for _ in range(30))
    first = texts(f"## Um título de tamanho comum\n\n{body}")[0]
    assert first.startswith("## Um título de tamanho comum\n\n")
    assert len(first) > 200


def test_each_question_has_a_chunk_with_its_answer() -> None:
    text = (
        "Qual o prazo?\nSete dias.\n\nTem frete?\n\nSim, grátis.\n\n3. Abre domingo?\nNão."
    )
    assert texts(text) == [
        "Qual o prazo?\nSete dias.",
        "Tem frete?\n\nSim, grátis.",
        "3. Abre domingo?\nNão.",
    ]


def test_rows_come_in_small_groups_and_whole() -> None:
    rows = [f"produto: Café {n:03}; preço: R$ {n},90; estoque: {n} un" for n in range(100)]
    groups = texts("\n".join(rows))
    assert [row for group in groups for row in group.split("\n")] == rows
    assert {len(group.split("\n")) for group in groups} <= {2, 3, 4, 5, 6, 7}
    assert max(len(group) for group in groups) <= 325


def test_a_long_row_stands_alone() -> None:
    rows = [f"produto: Café {n}; descrição: {'notas de mel ' * 15}" for n in range(5)]
    assert texts("\n".join(rows)) == [row.strip() for row in rows]


def test_list_items_are_whole_and_keep_their_introduction() -> None:
    items = [
        f"- item {n} com uma descrição de tamanho médio para a lista" for n in range(20)
    ]
    groups = texts("Aceitamos:\n\n" + "\n".join(items))
    assert groups[0].startswith("Aceitamos:\n\n- item 0")
    assert [line for group in groups for line in group.split("\n")][2:] == items


def test_paragraphs_are_kept_whole_when_they_fit() -> None:
    dice = rolled(3)
    paragraphs = [paragraph(dice) for _ in range(40)]
    pieces = [
        part for each in texts("\n\n".join(paragraphs)) for part in each.split("\n\n")
    ]
    assert pieces == paragraphs


def test_a_cut_paragraph_is_cut_at_sentences_and_overlaps_by_them() -> None:
    sentences = [
        f"A Sra. Ana comprou o item nº. {n:02} por R$ 1.{n:02}0,50." for n in range(60)
    ]
    parts = texts(" ".join(sentences))
    assert all(part.startswith("A Sra. Ana") and part.endswith(",50.") for part in parts)
    shared = [parts[n].split(". A Sra")[-1] in parts[n + 1] for n in range(len(parts) - 1)]
    assert all(shared)


def test_words_are_not_cut_and_accents_not_torn_off() -> None:
    words = texts(" ".join(["devolução"] * 500))
    assert {word for part in words for word in part.split(" ")} == {"devolução"}
    torn = [part[0] for part in texts("e\u0301" * 2_000)]
    assert set(torn) == {"e"}


def test_pages_cut_and_name_their_chunks() -> None:
    text = "Primeira página.\n\nSegunda página que\ncontinua na terceira.\n\nNova seção."
    second, third = text.index("Segunda"), text.index("continua")
    pages = [
        PageSpan(1, 0, second - 2),
        PageSpan(2, second, third - 1),
        PageSpan(3, third, len(text)),
    ]
    assert [(each.text, each.page) for each in chunk(text, pages=pages)] == [
        ("Primeira página.", 1),
        ("Segunda página que\ncontinua na terceira.\n\nNova seção.", 2),
    ]
    assert {each.page for each in chunk(text)} == {None}


@pytest.mark.parametrize("separator", ["\n\n", "\n", " "])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_an_edit_changes_only_the_chunks_near_it(separator: str, share: float) -> None:
    dice = rolled(4)
    paragraphs = [paragraph(dice) for _ in range(200)]
    before = texts(separator.join(paragraphs))
    paragraphs.insert(int(len(paragraphs) * share), paragraph(dice))
    after = set(texts(separator.join(paragraphs)))
    assert sum(text in after for text in before) >= 0.9 * len(before)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "\n" * 1_000_000,
        "." * 1_000_000,
        "a" + " " * 1_000_000 + "b",
        "# a\n" * 50_000,
        "a:\n\n" * 50_000,
        "a?\n\n" * 50_000,
        "a: b; c: d\n" * 50_000,
        "palavra " * 125_000,
        "Uma frase curta. " * 60_000,
    ],
    ids=["word", "newlines", "dots", "blanks", "headings", "colons", "questions", "rows",
         "words", "sentences"],
)  # fmt: skip
def test_time_is_linear_for_hostile_text(text: str) -> None:
    started = time.process_time()
    chunks = chunk(text)
    assert time.process_time() - started < 3  # A quadratic way takes minutes.
    assert all(len(each.text) <= MAX_CHARS for each in chunks)
