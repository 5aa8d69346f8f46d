"""Who a receipt says was paid: the name under or beside the words for a recipient."""

import re
import unicodedata
from collections.abc import Iterator

_RECIPIENT = re.compile(
    r"(?:dados d[eo] (?:quem (?:est[áa] recebendo|recebeu|vai receber|recebe)|recebedor|destino"
    r"|favorecido|destinat[áa]rio)|quem (?:est[áa] recebendo|recebeu|vai receber)"
    r"|(?:nome d[eo] )?(?:recebedor|favorecido|destinat[áa]rio|benefici[áa]rio|destino)"
    r"|(?:pago|enviado|transferido) para|pago a|para(?=\s*(?:$|:|(?-i:[A-ZÀ-Ý0-9*•]))))\b",
    re.IGNORECASE,
)
_PAYER = re.compile(
    r"(?:dados d[eo] (?:quem (?:est[áa] pagando|pagou|enviou)|pagador|origem|remetente)"
    r"|quem (?:est[áa] pagando|pagou|enviou)|(?:nome d[eo] )?(?:pagador|remetente)|origem|de)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"nome(?: completo| fantasia| d[eo] \w+)?\b\s*[:\-]?\s*", re.IGNORECASE)
_NO_NAME = re.compile(
    r"\d{4,}|@|R\$|\d/\d|^(?:cpf|cnpj|institui[çc][ãa]o|ag[êe]ncia|conta|chave|banco|tipo|valor"
    r"|data|hora|hor[áa]rio|id|identifica[çc][ãa]o|descri[çc][ãa]o|mensagem|dados|pix|nome"
    r"|documento|autentica[çc][ãa]o)\b",
    re.IGNORECASE,
)
_EDGES = " :-\u2013"
_LINES_BELOW = 4


def recipient_names(text: str) -> tuple[str, ...]:
    """Return who was paid, as printed, each once; none where no label says so."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = (
        _name(lines[at : at + 1 + _LINES_BELOW])
        for at, line in enumerate(lines)
        if _RECIPIENT.match(line)
    )
    return tuple(dict.fromkeys(name for name in found if name))


def _name(lines: list[str]) -> str | None:
    """Return the first name beside the label or on the lines below it."""
    return next(filter(None, map(_as_name, _candidates(lines))), None)


def _candidates(lines: list[str]) -> Iterator[str]:
    beside = _RECIPIENT.sub("", lines[0], count=1).strip(_EDGES)
    yield _NAME.sub("", beside)
    for line in lines[1:]:
        if _PAYER.match(line):
            return
        named = _NAME.match(line)
        yield line[named.end() :] if named else line


def _as_name(text: str) -> str | None:
    name = re.split(r"\s{2,}|\t", text.strip(_EDGES))[0]
    letters = sum(unicodedata.category(each).startswith("L") for each in name)
    return None if letters < 2 or _NO_NAME.search(name) else name  # noqa: PLR2004 - an initial.
