"""A database's definitions as lines that can be compared."""

from vek1_api.core import schema

COLUMNS = """
    SELECT format('%s.%s %s%s%s', relname, attname, format_type(atttypid, atttypmod),
                  CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END,
                  ' DEFAULT ' || pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
      AND NOT attisdropped
    ORDER BY relname, attnum
"""
CONSTRAINTS = """
    SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1
"""
RELATIONS = """
    SELECT relkind::text || ' ' || relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 't') ORDER BY 1
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"


async def catalog(url: str) -> list[str]:
    """Describe ``public``, one object a line, but for the indexes that a push drops."""
    conn = await schema.connect(url)
    ours = {index.definition() for index in schema.REQUIRED_INDEXES}
    lines = [
        line
        for query in (RELATIONS, COLUMNS, CONSTRAINTS, INDEXES)
        for (line,) in await conn.fetch(query)
    ]
    await conn.close()
    return [
        line for line in lines if line.replace(" public.vector_", " vector_") not in ours
    ]


async def whole_catalog(url: str) -> list[str]:
    conn = await schema.connect(url)
    queries = (
        "SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'vek1_api')",
        "SELECT oid::text || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        (
            "SELECT oid::regclass::text FROM pg_class"
            " WHERE relnamespace::regnamespace::text IN ('public', 'vek1_api')"
        ),
        COLUMNS,
        CONSTRAINTS,
    )
    lines = [line for query in queries for (line,) in await conn.fetch(query)]
    await conn.close()
    return sorted(lines)
