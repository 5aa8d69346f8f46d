"""What a store sold: as JSON, as a table for a spreadsheet, as a chart."""

import csv
import io
from uuid import UUID

from vek1_api.access.access import Access
from vek1_api.core.db import Database
from vek1_api.core.errors import FieldError, ValidationFailedError
from vek1_api.core.representation import Json
from vek1_api.orders import summary_queries
from vek1_api.orders.summary_schemas import By, SalesSummary, SummaryQuery
from vek1_api.stores.errors import StoreNotFoundError

MOST_DAYS = {By.DAY: 366, By.WEEK: 5 * 366, By.MONTH: 10 * 366}
"""Of one summary: a year of days, five years of weeks, ten of months."""

COLUMNS = ("from", "to", "orders", "revenue", "average_ticket", "cancelled")
DELIMITER = ";"


async def get(
    database: Database, access: Access, store_id: UUID, wanted: SummaryQuery
) -> Json:
    """Return the summary; raise ``StoreNotFoundError``, or for days that cannot be."""
    async with database.driver() as driver:
        row = await summary_queries.SUMMARY.row(
            driver,
            store_id=store_id,
            first_day=wanted.from_,
            last_day=wanted.to,
            by=wanted.by,
            most_days=MOST_DAYS[wanted.by],
            **access.owner,
        )
    if row is None:
        raise StoreNotFoundError(store_id)
    if row["body"] is None:
        raise _impossible(wanted.by, (row["last_day"] - row["first_day"]).days)
    return str(row["body"])


def as_csv(summary: SalesSummary) -> bytes:
    """Return the periods written as the catalogue is: a mark, ``;``, decimal commas."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, delimiter=DELIMITER)
    rows.writerow(COLUMNS)
    for each in summary.periods:
        amounts = _reais(each.revenue_cents), _reais(each.average_ticket_cents)
        rows.writerow([each.from_, each.to, each.orders, *amounts, each.cancelled])
    return "\ufeff".encode() + text.getvalue().encode()


def _reais(amount_cents: int) -> str:
    return "{},{:02}".format(*divmod(amount_cents, 100))


def _impossible(by: By, days: int) -> ValidationFailedError:
    if days < 0:
        problem = FieldError("/query/to", "too_early", "`to` must not be before `from`.")
    else:
        message = f"A summary by {by} covers at most {MOST_DAYS[by]} days."
        problem = FieldError("/query/from", "range_too_long", message)
    return ValidationFailedError(problem.message, errors=[problem])
