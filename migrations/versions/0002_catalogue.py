"""The catalogue: a document and search words of each product, ERP ids, uploads, imports."""

from pathlib import Path

from alembic import op

from vek1_api.core.schema.scripts import init_script, run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    connection = op.get_bind()
    run_script(connection, (SQL / "0002_catalogue.sql").read_text("utf-8"))
    run_script(connection, (SQL / "0002_backfill.sql").read_text("utf-8"))
    run_script(connection, init_script())


def downgrade() -> None:
    message = "what was derived can be made again, but nothing here is worth going back for"
    raise NotImplementedError(message)
