"""All that the database holds about some ids, to see that nothing changed."""

from vek1_api.core.db import Driver

_TABLES = """
    SELECT format('%I.%I', table_schema, table_name), array_agg(quote_ident(column_name))
    FROM information_schema.columns
    WHERE table_schema IN ('public', 'vek1_api') AND data_type IN ('text', 'uuid')
      AND (column_name = 'id' OR column_name LIKE '%\\_id' OR column_name = 'actor')
      AND table_name NOT IN ('audit_log', 'audit_trail')
    GROUP BY 1
"""


async def rows_about(db: Driver, *ids: str) -> dict[str, list[str]]:
    """Return every row, the audit log's apart, that names one of the ids; and the jobs."""
    statements = [
        f"SELECT '{table}' AS name, t::text AS content FROM {table} AS t"
        f" WHERE {' OR '.join(f'{column}::text = ANY ($1)' for column in columns)}"
        for table, columns in await db.fetch(_TABLES)
    ]
    statements.append("SELECT 'jobs', id::text FROM vek1_api.pgqueuer")
    found: dict[str, list[str]] = {}
    for name, content in await db.fetch(" UNION ALL ".join(statements), list(ids)):
        found.setdefault(name, []).append(content)
    return {name: sorted(contents) for name, contents in found.items()}
