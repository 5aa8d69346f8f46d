"""${message}.

Safe beside the code that still runs: add, backfill in batches, then enforce, in three
revisions. Indexes belong into ``vek1_api.core.schema.indexes``, which builds them
CONCURRENTLY; functions and triggers into ``init/01-init.sql``. Never edit an applied revision.
"""

from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    ${downgrades if downgrades else "pass"}
