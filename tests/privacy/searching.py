"""Looking for a person in all that is stored: every column of every table, every object."""

from collections.abc import Sequence

from vek1_api.core.db import Driver
from vek1_api.core.storage import Bucket

_COLUMNS = """
    SELECT format('%I.%I', table_schema, table_name) AS relation,
           quote_ident(column_name) AS name, data_type
    FROM information_schema.columns JOIN information_schema.tables
        USING (table_schema, table_name)
    WHERE table_schema IN ('public', 'vek1_api') AND table_type = 'BASE TABLE'
      AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'tsvector',
                        'ARRAY')
"""
LARGEST_OBJECT = 64 * 1024 * 1024


async def places(db: Driver, bucket: Bucket, words: Sequence[str]) -> dict[str, list[str]]:
    """Return where which of the words stand, whatever their case: columns and objects."""
    found: dict[str, list[str]] = {}
    for relation, name, kind in await db.fetch(_COLUMNS):
        holds = (
            f"position(convert_to(word, 'UTF8') IN {name}) > 0"
            if kind == "bytea"
            else f"strpos(lower({name}::text), lower(word)) > 0"
        )
        rows = await db.fetch(
            f"SELECT DISTINCT word FROM {relation}, unnest($1::text[]) AS word"
            f" WHERE {holds} ORDER BY 1",
            words,
        )
        if rows:
            found[f"{relation}.{name}"] = [row["word"] for row in rows]
    async for key in bucket.keys(""):
        content = key.encode() + await bucket.read(key, LARGEST_OBJECT)
        if hits := [word for word in words if word.encode() in content]:
            found[key] = hits
    return found
