"""Stock: what ERPs said, and once."""

from pathlib import Path

from alembic import op

from vek1_api.core.schema.scripts import init_script, run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    connection = op.get_bind()
    run_script(connection, (SQL / "0005_stock.sql").read_text("utf-8"))
    run_script(connection, init_script())


def downgrade() -> None:
    message = "what ERPs said hangs on this revision; there is no way back"
    raise NotImplementedError(message)
