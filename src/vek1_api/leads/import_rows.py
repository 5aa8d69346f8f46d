"""Leads from the rows of a file: who each row is about, and applying them as sets.

``vek1_api.upsert_lead`` decides who somebody is, as everywhere: imports, messages and requests
about one person at once make one lead.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_owns_store
from vek1_api.audit import service as audit_service
from vek1_api.core.db import driver_of, to_json
from vek1_api.core.errors import FieldError
from vek1_api.imports.cells import CellError
from vek1_api.imports.importers import Importer, Key, register
from vek1_api.imports.judging import Row, Verdict
from vek1_api.imports.numbers import Notation
from vek1_api.imports.status import RowStatus
from vek1_api.leads import import_queries, service
from vek1_api.leads.errors import UnknownStatusError
from vek1_api.leads.import_columns import COLUMNS, JSON_FIELDS
from vek1_api.leads.status import Channel

KEY = "external_id"

_READERS = {column.field: column.read for column in COLUMNS}
_NOTATION = Notation.UNCLEAR  # Nothing here is a number.
_WHO = frozenset({"channel", KEY})

# What spreadsheets and data frames make of a phone that they take for a number.
_IN_POWERS = re.compile(r"[0-9]+(?:[.,][0-9]+)?e\+?[0-9]+", re.IGNORECASE)
_WITH_DECIMALS = re.compile(r"([0-9]{8,})[.,]0")

Errors = Sequence[FieldError]


def missing(fields: Collection[str]) -> list[str]:
    """Return what a file lacks: without an id its rows are about nobody."""
    return [] if KEY in fields else [KEY]


async def apply(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    import_id: UUID,  # noqa: ARG001 - The trail has one entry for the file, none for a row.
    rows: Sequence[Row],
) -> list[Verdict]:
    """Write down the people of the rows; see ``imports.importers.Apply``."""
    driver = await driver_of(tx)
    await assert_owns_store(driver, access, store_id)
    scope = {"store_id": store_id, **access.owner}
    refused = {row.number: wrong for row in rows if (wrong := _nameless(row))}
    people = [_person(row) for row in rows if row.number not in refused]
    known = await import_queries.KNOWN.rows(driver, people=people, **scope)
    lead_of = {each["row"]: each["lead_id"] for each in known}
    wanted = {row.values["status"] for row in rows if "status" in row.values}
    statuses = await service.statuses(tx, access, wanted)
    for row in rows:
        if row.number not in lead_of and (wrong := _unknown_status(row.values, statuses)):
            refused[row.number] = [*refused.get(row.number, ()), *wrong]
    strangers = [each for each in people if each["row"] not in {*lead_of, *refused}]
    met = await import_queries.UPSERT.rows(driver, people=strangers, **scope)
    lead_of |= {each["row"]: each["lead_id"] for each in met}
    ids = list(set(lead_of.values()))
    held = await import_queries.LOCK.rows(driver, ids=ids, **scope)
    # After the others: whoever is forgotten from here on waits for this transaction.
    erased = await import_queries.ERASED.rows(driver, people=people, **scope)
    plan = _Plan(
        refused=refused,
        lead_of=lead_of,
        leads={each["id"]: orjson.loads(each["body"]) for each in held},
        new={each["lead_id"] for each in met if each["is_new"]},
        erased={each["row"] for each in erased},
        statuses=statuses,
    )
    verdicts = [plan.decide(row) for row in rows]
    if plan.unwanted:
        await import_queries.DROP.rows(driver, ids=list(plan.unwanted), **scope)
    if plan.changes:
        await import_queries.CHANGE.rows(driver, changes=plan.changes, **scope)
    return verdicts


@dataclass(slots=True)
class _Plan:
    """Whom the rows name, all of them held by this transaction, and what is to be done."""

    refused: Mapping[int, Errors]
    """Rows that name nobody, or would make a lead that cannot be."""
    lead_of: Mapping[int, UUID]
    leads: Mapping[UUID, Mapping[str, Any]]
    new: Collection[UUID]
    erased: Collection[int]
    statuses: Collection[str]
    unwanted: set[UUID] = field(default_factory=set)
    """Leads that were made for rows which are refused after all."""
    changes: list[dict[str, Any]] = field(default_factory=list)
    _row_of: dict[UUID, int] = field(default_factory=dict)

    def decide(self, row: Row) -> Verdict:
        """Return what becomes of a row."""
        if wrong := self.refused.get(row.number):
            return Verdict.refused(row.number, wrong)
        lead_id = self.lead_of[row.number]
        lead = self.leads.get(lead_id)
        if lead is None:
            message = "The person was just erased, or joined to another; import it again."
            return _refused(row, "conflict", message)
        changes = _changes(lead, row.values)
        if first := self._row_of.get(lead_id):
            return _refused(row, "duplicate", f"Row {first} is about the same person.")
        if row.number in self.erased and (changes or lead_id in self.new):
            self.unwanted |= {lead_id} & {*self.new}
            message = (
                "The data of this person was erased (LGPD), so no file writes it down "
                "again; what they tell you now, write into their lead."
            )
            return _refused(row, "erased_person", message)
        if wrong := _unknown_status(changes, self.statuses):
            return Verdict.refused(row.number, wrong)
        self._row_of[lead_id] = row.number
        if changes:
            self.changes.append(
                changes | {"lead_id": lead_id, "status_before": lead["status"]}
            )
        known = RowStatus.UPDATED if changes else RowStatus.UNCHANGED
        is_new = lead_id in self.new
        return Verdict(row.number, RowStatus.CREATED if is_new else known, lead_id)


def _person(row: Row) -> dict[str, Any]:
    channel = row.values.get("channel", Channel.WHATSAPP)
    external_id = row.values[KEY]
    if channel == Channel.WHATSAPP and (whole := _WITH_DECIMALS.fullmatch(external_id)):
        external_id = whole[1]
    return {"row": row.number, "channel": channel, KEY: external_id}


def _nameless(row: Row) -> Errors:
    """Return why a row names nobody."""
    if KEY not in row.values:
        return [FieldError(f"/{KEY}", "missing", "Say who it is: a phone, or another id.")]
    channel = row.values.get("channel", Channel.WHATSAPP)
    if channel == Channel.WHATSAPP and _IN_POWERS.fullmatch(row.values[KEY]):
        message = (
            "The spreadsheet made a number of this phone, and digits are lost; set the "
            "column's format to text."
        )
        return [FieldError(f"/{KEY}", "phone_as_number", message)]
    return []


def _unknown_status(values: Mapping[str, Any], statuses: Collection[str]) -> Errors:
    status = values.get("status")
    if status is None or status in statuses:
        return []
    return UnknownStatusError(status, sorted(statuses)).errors


def _refused(row: Row, code: str, message: str) -> Verdict:
    return Verdict.refused(row.number, [FieldError(f"/{KEY}", code, message)])


def _changes(lead: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that a row changes, objects merged.

    A cell that says what is there already changes nothing, however the front end wrote it: a
    CEP with its dash, a null in an object.
    """
    wanted = {
        name: orjson.loads(value) if name in JSON_FIELDS else value
        for name, value in said.items()
        if name not in _WHO and not _is_told(name, lead[name], value)
    }
    before = dict(lead)
    return audit_service.differing(before, service.patched(before, wanted))


def _is_told(name: str, value: Any, cell: str) -> bool:
    """Return whether a file would say a column's value by this cell."""
    if value is None or value == cell:
        return value is not None
    is_json = name in JSON_FIELDS
    try:
        told = str(_READERS[name](str(to_json(value)) if is_json else value, _NOTATION))
    except CellError:
        return False
    return bool(orjson.loads(told) == orjson.loads(cell)) if is_json else told == cell


IMPORTER = register(
    Importer(
        kind="leads",
        action="leads.imported",
        target="lead_id",
        columns=COLUMNS,
        missing=missing,
        apply=apply,
        key=Key(KEY, import_queries.about),
    )
)
