"""Stock: telling the ERP."""

from pathlib import Path

from alembic import op

from vek1_api.core.schema.scripts import init_script, run_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    connection = op.get_bind()
    run_script(connection, (SQL / "0006_stock_outbound.sql").read_text("utf-8"))
    # With the triggers of these tables, on which the stores' settings hang.
    run_script(connection, init_script())
    run_script(connection, (SQL / "0006_backfill.sql").read_text("utf-8"))


def downgrade() -> None:
    message = "messages to ERPs hang on this revision; there is no way back"
    raise NotImplementedError(message)
