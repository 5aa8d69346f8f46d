"""Products from the rows of a file: what the columns are, and applying them as sets.

A row names its product by ``id``, else by ``product_integration_id``; else it is a new one.
``product_keys`` decides whom an ERP's id names, as everywhere: imports and ``PUT``s of the
same id at once make one product.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_owns_store
from vek1_api.core.db import Driver, driver_of
from vek1_api.core.errors import FieldError
from vek1_api.core.inputs import LongText, Name
from vek1_api.core.money import LARGEST_PRICE
from vek1_api.imports import cells
from vek1_api.imports.columns import Column
from vek1_api.imports.importers import Importer, register
from vek1_api.imports.judging import Row, Verdict
from vek1_api.imports.status import RowStatus
from vek1_api.products import import_queries
from vek1_api.products.schemas import LARGEST_STOCK, IntegrationId

KEY = "product_integration_id"

COLUMNS = (
    Column("id", ("product_id", "id do produto"), cells.uuid, is_unique=True),
    Column(
        KEY,
        (
            "código",
            "sku",
            "ref",
            "referência",
            "cod",
            "code",
            "código do produto",
            "código interno",
            "código erp",
            "integration_id",
            "external_id",
            "reference",
            "id_integração",
        ),
        cells.word(IntegrationId),
        is_unique=True,
    ),
    Column(
        "name",
        (
            "nome",
            "produto",
            "title",
            "título",
            "nome do produto",
            "product",
            "product_name",
            "item",
        ),
        cells.text(Name),
    ),
    Column(
        "description",
        ("descrição", "detalhes", "descrição do produto", "details", "body"),
        cells.text(LongText),
    ),
    Column(
        "price",
        (
            "preço",
            "valor",
            "preço de venda",
            "preço unitário",
            "valor unitário",
            "valor de venda",
            "unit_price",
            "sale_price",
        ),
        cells.money(Decimal(str(LARGEST_PRICE))),
        is_number=True,
    ),
    Column(
        "stock",
        (
            "estoque",
            "quantidade",
            "qtd",
            "qtde",
            "saldo",
            "quantidade em estoque",
            "estoque atual",
            "quantity",
            "qty",
            "inventory",
        ),
        cells.whole(LARGEST_STOCK),
        is_number=True,
    ),
    Column(
        "custom_props",
        ("propriedades", "atributos", "props", "properties", "attributes"),
        cells.json_object,
    ),
)


def missing(fields: Collection[str]) -> list[str]:
    """Return what a file lacks: one that cannot name a product can only hold new ones."""
    required = () if {"id", KEY} & set(fields) else ("name", "price")
    return [name for name in required if name not in fields]


async def apply(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    import_id: UUID,
    rows: Sequence[Row],
) -> list[Verdict]:
    """Create and change the products that the rows name; see ``imports.importers.Apply``."""
    driver = await driver_of(tx)
    await assert_owns_store(driver, access, store_id)
    scope = {"store_id": store_id, **access.owner}
    plan = await _planned(driver, scope, [row.values for row in rows])
    verdicts = [plan.decide(row) for row in rows]
    if unused := plan.unused():
        await import_queries.RELEASE.rows(driver, keys=unused, **scope)
    if plan.new:
        await import_queries.ADD.rows(driver, rows=plan.new, **scope)
    if not plan.known:
        return verdicts
    payload = {"source": "import", "import_id": str(import_id)}
    moved = await import_queries.MOVE.rows(
        driver, rows=plan.known, payload=payload, **scope
    )
    changed = await import_queries.CHANGE.rows(driver, rows=plan.known, **scope)
    return _with_changes(verdicts, {row["id"] for row in (*moved, *changed)})


@dataclass(slots=True)
class _Plan:
    """Whom the rows name, all of it held by this transaction, and what is to be done."""

    claimed: Mapping[str, UUID]
    """The ids of an ERP that were free: for products to be made, or known without one."""
    keyed: Mapping[str, UUID]
    held: Mapping[UUID, str | None]
    """The ERP's id of each product that is there."""
    new: list[dict[str, Any]] = field(default_factory=list)
    known: list[dict[str, Any]] = field(default_factory=list)
    _row_of: dict[UUID, int] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def decide(self, row: Row) -> Verdict:
        """Return what becomes of a row; ``unchanged`` may yet turn out to be a change."""
        key = row.values.get(KEY)
        named = UUID(row.values["id"]) if "id" in row.values else None
        target = named or (self.keyed.get(key) if key else None)
        if errors := self._errors(row, named, key, target):
            return Verdict.refused(row.number, errors)
        is_new = target not in self.held
        target = target or uuid4()
        self._row_of[target] = row.number
        if key:
            self._used.add(key)
        values = row.values | {"target": str(target)}
        (self.new if is_new else self.known).append(values)
        status = RowStatus.CREATED if is_new else RowStatus.UNCHANGED
        return Verdict(row.number, status, target)

    def unused(self) -> list[str]:
        """Return what was taken for rows that are refused."""
        return [key for key in self.claimed if key not in self._used]

    def _errors(
        self, row: Row, named: UUID | None, key: str | None, target: UUID | None
    ) -> list[FieldError]:
        if named is not None and named not in self.held:
            return [FieldError("/id", "not_found", "No product of this store has this id.")]
        # Where two products had the same one before it was kept unique, none is to change.
        if named and self.keyed.get(key or "", named) != named and self.held[named] != key:
            message = "Another product of this store has it."
            return [FieldError(f"/{KEY}", "conflict", message)]
        if target in self._row_of:
            message = f"Row {self._row_of[target]} is about the same product."
            return [FieldError(f"/{'id' if named else KEY}", "duplicate", message)]
        if target in self.held:
            return []
        if key and target and key not in self.claimed:
            message = "The product with it was just removed; import the row again."
            return [FieldError(f"/{KEY}", "conflict", message)]
        return [
            FieldError(f"/{name}", "missing", f"A new product needs a {name}.")
            for name in ("name", "price")
            if name not in row.values
        ]


async def _planned(
    driver: Driver, scope: Mapping[str, Any], rows: Sequence[dict[str, Any]]
) -> _Plan:
    keys = [row[KEY] for row in rows if KEY in row]
    claimed = keyed = {}
    if keys:
        claimed = _by_key(await import_queries.CLAIM.rows(driver, rows=rows, **scope))
        keyed = _by_key(await import_queries.KEYED.rows(driver, keys=keys, **scope))
    ids = {UUID(row["id"]) for row in rows if "id" in row} | {*keyed.values()}
    held = await import_queries.LOCK.rows(driver, ids=list(ids), **scope) if ids else []
    return _Plan(claimed, keyed, {row["id"]: row[KEY] for row in held})


def _by_key(rows: Sequence[Any]) -> dict[str, UUID]:
    return {row[KEY]: row["product_id"] for row in rows}


def _with_changes(verdicts: Sequence[Verdict], changed: set[UUID]) -> list[Verdict]:
    return [
        Verdict(each.row, RowStatus.UPDATED, each.target_id)
        if each.target_id in changed
        else each
        for each in verdicts
    ]


IMPORTER = register(
    Importer(
        kind="products",
        action="products.imported",
        target="product_id",
        columns=COLUMNS,
        missing=missing,
        apply=apply,
    )
)
