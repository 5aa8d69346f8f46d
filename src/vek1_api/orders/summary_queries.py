"""The statement of the sales summary; its SQL is in ``init/01-init.sql``."""

from sqlalchemy import Date, Integer, Text, Uuid, bindparam, column, func, select, true

from vek1_api.access.grants import OWNER, my_stores
from vek1_api.core.hot import HotStatement


def _summary() -> HotStatement:
    store = my_stores(bindparam("store_id", type_=Uuid)).subquery()
    summary = (
        func.vek1_api.sales_summary(
            store.c.id,
            OWNER,
            bindparam("first_day", type_=Date),
            bindparam("last_day", type_=Date),
            bindparam("by", type_=Text),
            bindparam("most_days", type_=Integer),
        )
        .table_valued(
            column("first_day", Date), column("last_day", Date), column("body", Text)
        )
        .lateral("summary")
    )
    return HotStatement(select(summary).select_from(store.join(summary, true())))


SUMMARY = _summary()
"""The days and the summary, which is null for days that cannot be; no row out of reach."""
