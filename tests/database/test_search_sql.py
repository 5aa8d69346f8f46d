"""Keyword search in Brazilian Portuguese, and match_documents_test."""

import random
from uuid import uuid4

import asyncpg
import pytest

from tests.database.shop import Shop

SAME_WORD = [
    ("reunião", "reuniao", "reuniões", "REUNIOES", "Reuni\u0061\u0303o"),
    ("pão", "pães", "PAES"),
    ("mão", "mãos"),
    ("mãe", "mães"),
    ("órgão", "órgãos"),
    ("animal", "animais"),
    ("real", "reais"),
    ("papel", "papéis", "papeis"),
    ("anel", "anéis"),
    ("lençol", "lençóis"),
    ("azul", "azuis"),
    ("perfil", "perfis"),
    ("infantil", "infantis"),
    ("útil", "úteis"),
    ("fácil", "fáceis"),
    ("item", "itens"),
    ("nuvem", "nuvens"),
    ("dia", "dias", "DIAS"),
    ("câmera", "câmeras", "camera"),
    ("luz", "luzes"),
    ("cor", "cores"),
    ("mês", "meses"),
    ("inglês", "ingleses"),
    ("troca", "trocas", "trocar"),
    ("instalação", "instalações", "instalar", "instalado"),
    ("devolução", "devoluções", "DEVOLUCAO"),
    ("lei", "leis"),
    ("herói", "heróis"),
    ("garantia", "garantias"),
    ("fim", "\ufb01m"),
    ("cafeteira", "cafe\u00adteira"),
]

DIFFERENT_WORDS = [
    ("mão", "mãe"),
    ("mal", "mais"),
    ("seis", "sel"),
    ("caos", "cão"),
    ("pais", "pal"),
    ("dois", "dol"),
]

CODES = [
    ("CAF-500G", "caf-500g"),
    ("Café CAF-500G, moído.", "caf-500g"),
    ("AB1234", "ab1234"),
    ("fio de 12.5mm (novo)", "12.5mm"),
    ("fio de 12,5mm", "12.5mm"),
    ("câmera X-T4!", "x-t4"),
    ("ref. NF/2024_07.", "nf/2024_07"),
]


async def terms(db: asyncpg.Connection, text: str) -> list[str]:
    found = await db.fetchval(
        "SELECT array(SELECT lexeme FROM unnest(vek1_api.portuguese_terms($1)))", text
    )
    return sorted(found)


async def matches(db: asyncpg.Connection, question: str, passage: str) -> bool:
    return bool(
        await db.fetchval(
            "SELECT vek1_api.portuguese_terms($2) @@ vek1_api.portuguese_query($1)",
            question,
            passage,
        )
    )


@pytest.mark.parametrize("forms", SAME_WORD, ids=lambda forms: forms[0])
async def test_forms_of_one_word_are_one_lexeme(
    db: asyncpg.Connection, forms: tuple[str, ...]
) -> None:
    lexemes = [await terms(db, form) for form in forms]
    assert lexemes == [lexemes[0]] * len(forms)
    assert len(lexemes[0]) == 1


@pytest.mark.parametrize(("one", "other"), DIFFERENT_WORDS)
async def test_words_that_only_look_alike_stay_apart(
    db: asyncpg.Connection, one: str, other: str
) -> None:
    assert await terms(db, one) != await terms(db, other)


@pytest.mark.parametrize(("passage", "code"), CODES)
async def test_a_part_number_is_a_lexeme_of_its_own(
    db: asyncpg.Connection, passage: str, code: str
) -> None:
    assert code in await terms(db, passage)
    assert await matches(db, code.upper(), passage)


async def test_a_part_number_is_found_by_its_parts(db: asyncpg.Connection) -> None:
    assert await terms(db, "CAF-500G") == ["500", "500g", "caf", "caf-500g"]
    assert await matches(db, "café 500 g", "CAF-500G")


async def test_a_part_number_weighs_more_than_a_word(db: asyncpg.Connection) -> None:
    rank = (
        "SELECT ts_rank(vek1_api.portuguese_terms($1),"
        " vek1_api.portuguese_query('preço do CAF-500G'))"
    )
    code = await db.fetchval(rank, "O CAF-500G chegou.")
    words = await db.fetchval(rank, "Preço, preço e mais preço.")
    assert code > words


async def test_a_question_matches_on_some_of_its_words(db: asyncpg.Connection) -> None:
    passage = "Aceitamos devoluções em até sete dias úteis."
    assert await matches(db, "Qual é o prazo para devolução?", passage)
    assert not await matches(db, "Vocês vendem bicicletas?", passage)


@pytest.mark.parametrize(
    "question",
    ["", " ", "o que é", "Não, também já são até nós!", "?!", "'\\&|!()<->:*", "---"],
)
async def test_a_question_of_stop_words_only_is_empty_and_silent(
    db: asyncpg.Connection, question: str
) -> None:
    notices: list[object] = []
    db.add_log_listener(lambda _conn, message: notices.append(message))

    assert await db.fetchval("SELECT vek1_api.portuguese_query($1)::text", question) == ""
    assert await db.fetchval("SELECT vek1_api.portuguese_terms($1)::text", question) == ""
    assert notices == []


@pytest.mark.parametrize(
    "text",
    [
        "a1-" * 34_000,
        "'\\&|!()<->:* " * 8_000,
        "ç" * 100_000,
        "a." * 50_000,
        " ".join(f"sku-{n}.x/{n}" for n in range(10_000)),
        "日本語の文章 " * 15_000,
        "🧉 chimarrão " * 8_000,
    ],
    ids=["codes", "operators", "one word", "one run", "distinct", "Japanese", "emoji"],
)
async def test_a_hundred_kilobytes_of_anything_are_taken(
    db: asyncpg.Connection, text: str
) -> None:
    await db.fetchval("SELECT vek1_api.portuguese_terms($1)", text)
    assert await db.fetchval("SELECT numnode(vek1_api.portuguese_query($1))", text) <= 127


async def test_every_text_finds_itself_and_none_makes_search_fail(
    db: asyncpg.Connection,
) -> None:
    chance = random.Random(7)  # noqa: S311 - The same texts in every run.
    alphabet = (
        "aeiosr nção é ÃÕ-/._,'\"\\&|!()<>:*0159ßñ🧉日\u00d7\u0301\u00ad\ufb01\u2028\n"
    )
    for _ in range(300):
        text = "".join(chance.choices(alphabet, k=chance.randrange(40)))
        row = await db.fetchrow(
            "SELECT vek1_api.portuguese_query($1)::text = '' AS is_empty,"
            " vek1_api.portuguese_terms($1) @@ vek1_api.portuguese_query($1) AS is_found",
            text,
        )
        assert row is not None
        assert row["is_found"] is not row["is_empty"], ascii(text)


async def test_match_documents_test_respects_the_agent_and_the_threshold(
    db: asyncpg.Connection, shop: Shop
) -> None:
    await db.execute(
        "INSERT INTO documents (store_id, title, content, embedding)"
        " SELECT $1, 'alheio', 'x',"
        " ('[1,' || n / 1000.0 || repeat(',0', 1022) || ']')::vector"
        " FROM generate_series(1, 500) AS n",
        shop.store,
    )
    await db.execute(
        "UPDATE documents SET embedding = ('[1,1' || repeat(',0', 1022) || ']')::vector,"
        """ metadata = '{"page": 1}' WHERE id = $1""",
        shop.document,
    )
    query = "[1,0" + ",0" * 1022 + "]"
    call = "SELECT * FROM match_documents_test($1::text::vector, $2, $3, $4)"

    own = await db.fetch(call, query, 0.5, 10, shop.agent)
    assert [tuple(row)[:4] for row in own] == [
        (shop.document, "Trocas", "Sete dias.", '{"page": 1}')
    ]
    assert own[0]["similarity"] == pytest.approx(0.5**0.5)
    assert await db.fetch(call, query, 0.8, 10, shop.agent) == []
    assert await db.fetch(call, query, 0.0, 10, uuid4()) == []
    assert await db.fetch(call, query, 0.0, 0, shop.agent) == []

    everywhere = await db.fetch(call, query, 0.9, 200, None)
    assert len(everywhere) == 200
    assert sorted((row["similarity"] for row in everywhere), reverse=True) == [
        row["similarity"] for row in everywhere
    ]
    three = "SELECT * FROM match_documents_test($1::text::vector, 0.9, 3)"
    assert len(await db.fetch(three, query)) == 3
