"""Receipts as eight banks lay them out, their people and numbers invented.

All pay R$ 159,90 to the bakery of CNPJ 11.222.333/0001-81 on 21/11/2026 at 14:32 in Brasília,
which is 17:32 UTC in the end-to-end ids.
"""

NUBANK = """
Comprovante de transferência
21 NOV 2026 - 14:32:05

Valor R$ 159,90
Tipo de transferência Pix

Destino
Nome Padaria do Zé Ltda
CNPJ 11.222.333/0001-81
Instituição ITAÚ UNIBANCO S.A.
Agência 0123
Conta 45678-9
Tipo de conta Conta corrente
Chave Pix padaria@example.com

Origem
Nome Maria Aparecida dos Santos
Instituição NU PAGAMENTOS - IP
Agência 0001
Conta 1234567-8
CPF •••.982.247-••

Nu Pagamentos S.A. - Instituição de Pagamento
CNPJ 00.000.000/0001-91
ID da transação:
E18236120202611211732s14787e325d
Estamos aqui para ajudar se você tiver alguma dúvida.
Ouvidoria: 0800 000 0463, atendimento em dias úteis, das 09h às 18h
"""

# Read as two columns, as a PDF's text often comes.
NUBANK_COLUMNS = """
Comprovante de pagamento
21 NOV 2026 - 14:32:05
Valor ID da transação
R$ 159,90 E18236120202611211732s14787e325d
Tipo de transferência
Pix
Destino
Nome Instituição
PADARIA DO ZE LTDA  ITAU UNIBANCO S.A.
CPF/CNPJ Chave Pix
11.222.333/0001-81 padaria@example.com
Identificador
VEK000042
"""

ITAU = """
Itaú
comprovante de transferência
Pix

dados do pagador
nome do pagador: MARIA A SANTOS
CPF / CNPJ do pagador: ***.982.247-**
agência/conta: 0123/45678-9

dados do recebedor
nome do recebedor: PADARIA DO ZE LTDA
chave: padaria@example.com
CPF / CNPJ do recebedor: 11.222.333/0001-81
instituição: BANCO INTER S.A.

dados da transação
valor: R$ 159,90
data da transferência: 21/11/2026
tipo de pagamento: PIX TRANSFERENCIA
identificação no comprovante: VEK000042

autenticação no comprovante
5A1F22C90B7D4E11A0C93F7E6B21D8045C77A1B2

ID da transação
E60701190202611211732DY5K2B7X9QA
Controle
0000123456789012
Transação efetuada em 21/11/2026 às 14:32:05 via APP
"""

BRADESCO = """
Comprovante de Transação Bancária
PIX
Data da operação: 21/11/2026 - 14h32
Nº de controle: 123.456.789.012.345.678 | Documento: 0012345
Conta de débito: Agência: 1234 | Conta: 56789-0 | Tipo: Conta-Corrente
Nome do pagador: MARIA APARECIDA DOS SANTOS
CPF: ***.982.247-**
Dados de quem recebeu
Nome: PADARIA DO ZE LTDA
CNPJ: 11.222.333/0001-81
Instituição: 077 BANCO INTER
Chave: +55 (11) 9****-5678
Valor: R$ 159,90
Tarifa: R$ 0,00
Data do débito: 21/11/2026
Descrição: VEK 000042
Número de Controle: E607469482026112117
32A1B2C3D4E5F
A transação acima foi realizada por meio do Bradesco Celular.
Autenticação
tM9f#k2L qW8@1x 12.34 98,76
SAC 0800 000 8383
"""

CAIXA = """
CAIXA
Comprovante de Transação Pix
ID da transação: E00360305202611211732abcdef01234
Situação: EFETIVADA    Data e Hora: 21/11/2026 às 14:32:05
Valor Original: R$ 159,90    Valor Atualizado: R$ 159,90
Descontos: R$ 5,00    Juros: R$ 3,00    Multa: R$ 2,00
Detalhes: pedido 42
Origem
Nome: MARIA APARECIDA DOS SANTOS
CPF: XXX.982.247-XX
Instituição: CAIXA ECONOMICA FEDERAL
Destino
Nome: PADARIA DO ZE LTDA
CNPJ: 11.222.333/0001-81
Instituição: BANCO INTER S.A.
Código da operação: 71762579752
Chave de segurança: 9K2X-77QW-10,25
Saldo disponível após a transação: R$ 1.023,45
"""

BANCO_DO_BRASIL = """
SISBB - SISTEMA DE INFORMACOES BANCO DO BRASIL
21/11/2026 - AUTOATENDIMENTO - 14.32.05
1234501234
COMPROVANTE PIX
CLIENTE: MARIA A SANTOS
AGENCIA: 1234-5 CONTA: 99.999-0
========================================
ID: E0000000020261121173200123456789
CPF DO PAGADOR: ***.982.247-**
VALOR: 159,90
TARIFA: 0,00
DATA: 21/11/2026 - 14:32:05
DESCRICAO: VEK000042
----------------------------------------
PAGO PARA: PADARIA DO ZE LTDA
CNPJ: 11222333000181
CHAVE PIX: 11222333000181
INSTITUICAO: 60701190 ITAU UNIBANCO S.A.
AGENCIA: 123 CONTA: 45678-9
DOCUMENTO: 112101
AUTENTICACAO SISBB: 1.2A3.45B.678.90C.DEF
"""

INTER = """
inter
Pix enviado
R$ 159,90

Sobre a transação
Data do pagamento: Sábado, 21/11/2026
Horário: 14h32
ID da transação: E00416968202611211732Zk3mP0qWxYz
Mensagem: bolo de sábado, 2 kg a 79,95

Quem recebeu
Nome: Padaria do Zé Ltda
CPF/CNPJ: 11.222.333/0001-81
Instituição: ITAÚ UNIBANCO S.A.
Chave Pix: 123e4567-e12b-12d1-a456-
426655440000

Quem pagou
Nome: Maria Aparecida dos Santos
CPF/CNPJ: ***.982.247-**
Instituição: BANCO INTER S.A.
"""

MERCADO_PAGO = """
Comprovante de Pix
Sábado, 21 de novembro de 2026 às 14h32
Pix
R$ 159,90
De
Maria Aparecida dos Santos
CPF: ***.982.247-**
Mercado Pago
Para
Padaria do Zé Ltda
CNPJ: 11.222.333/0001-81
Itaú Unibanco S.A.
Chave Pix: pad****@example.com
Número da transação do Mercado Pago
98765432101
ID de transação PIX
E10573521202611211732X1y2Z3w4V5u
Guarde seu comprovante. Você tem R$ 4,50 de cashback
"""

PICPAY = """
PicPay
Comprovante de pagamento
21/nov/2026 às 14:32:05
Pagamento Pix
Valor
R$159,90
Para
PADARIA DO Z*** LTDA
CNPJ **.222.333/0001-**
Instituição
ITAU UNIBANCO S.A.
De
MARIA APARECIDA DOS SANTOS
CPF ***.982.247-**
ID da transação
E22896431202611211732ABCDE123fgh
PicPay Instituição de Pagamento S.A.
CNPJ 00.000.000/0001-91
"""

# A photo of a screen, read by OCR: O for 0, RS for R$, a 1 that became l.
PHOTO = """
Comprovante de transferencia
2l NOV 2O26 - 14:32:05
Valor RS 159,90
Destino
Nome Padaria do Ze Ltda
CNPJ 11.222.333/0001-81
Origem
Nome Maria A. dos Santos
ID da transacao:
El8236l2O2O26
ll2ll732s14787e325d
"""

SCHEDULED = """
Comprovante de agendamento
Pix agendado para 28/11/2026
Valor R$ 159,90
Para: Padaria do Zé Ltda
CNPJ 11.222.333/0001-81
Você pode cancelar até as 23h59 do dia anterior.
"""

ALL = {
    "nubank": NUBANK,
    "nubank in columns": NUBANK_COLUMNS,
    "itau": ITAU,
    "bradesco": BRADESCO,
    "caixa": CAIXA,
    "banco do brasil": BANCO_DO_BRASIL,
    "inter": INTER,
    "mercado pago": MERCADO_PAGO,
    "picpay": PICPAY,
    "photo": PHOTO,
}
