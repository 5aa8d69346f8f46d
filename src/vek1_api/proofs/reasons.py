"""What the proof desk may find, for the merchant: codes never change, sentences may."""

from vek1_api.proofs.schemas import DeskReason
from vek1_api.proofs.status import Risk

_HIGH, _MEDIUM = Risk.HIGH, Risk.MEDIUM

_REASONS = {
    "file_reused": (_HIGH, "Este mesmo arquivo também foi enviado no pedido {orders}."),
    "end_to_end_id_reused": (
        _HIGH,
        "O mesmo ID de transação PIX aparece no comprovante do pedido {orders}.",
    ),
    "amount_differs": (
        _HIGH,
        "O comprovante mostra {found}, e o pedido custa {expected}.",
    ),
    "recipient_differs": (
        _HIGH,
        "O dinheiro parece ter ido para {found}, e não para {expected}.",
    ),
    "date_before_order": (
        _HIGH,
        "O pagamento do comprovante ({found}) é de antes do pedido.",
    ),
    "date_in_future": (_HIGH, "O comprovante tem uma data no futuro ({found})."),
    "scheduled": (
        _HIGH,
        "É um agendamento: o dinheiro ainda não saiu, e o cliente pode cancelar.",
    ),
    "end_to_end_id_time_differs": (
        _HIGH,
        "A data dentro do ID de transação ({found}) não é a que o comprovante mostra.",
    ),
    "txid_of_another_order": (_HIGH, "O identificador {found} é de outro pedido."),
    "end_to_end_id_malformed": (
        _MEDIUM,
        "O ID de transação PIX ({found}) não está no formato do Banco Central.",
    ),
    "several_amounts": (
        _MEDIUM,
        "O comprovante mostra mais de um valor ({found}): veja qual foi pago.",
    ),
    "amount_not_found": (_MEDIUM, "O valor não foi encontrado no comprovante."),
    "recipient_not_found": (
        _MEDIUM,
        "O nome de quem recebeu não foi encontrado no comprovante.",
    ),
    "date_not_found": (_MEDIUM, "A data não foi encontrada no comprovante."),
    "end_to_end_id_not_found": (
        _MEDIUM,
        "O ID de transação PIX não foi encontrado no comprovante.",
    ),
    "recipient_unknown": (
        _MEDIUM,
        "A loja não tem chave PIX configurada: não há com quem comparar o recebedor.",
    ),
    "not_manual_pix": (
        _MEDIUM,
        "Este pedido não é pago por PIX manual: confira o pagamento onde ele é feito.",
    ),
    "reading_pending": (_MEDIUM, "O comprovante ainda está sendo lido."),
    "ocr_not_installed": (
        _MEDIUM,
        "Fotos não são lidas aqui (o OCR não está instalado): confira você mesmo.",
    ),
    "unreadable": (
        _MEDIUM,
        "O comprovante não pôde ser lido: confira você mesmo, ou peça outro ao cliente.",
    ),
}
CODES = tuple(_REASONS)
_ORDER = (Risk.LOW, Risk.MEDIUM, Risk.HIGH)


def reason(code: str, **words: str) -> DeskReason:
    """Return a reason with its sentence."""
    risk, sentence = _REASONS[code]
    return DeskReason(code=code, message=sentence.format(**words), risk=risk)


def worst(reasons: list[DeskReason]) -> Risk:
    """Return the risk of all of them."""
    return max((each.risk for each in reasons), key=_ORDER.index, default=Risk.LOW)
