"""Assets, runs and events: the tables of the first release."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "1"
down_revision: Final = None

_INTEGER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "assets",
        sa.Column("id", _TEXT, primary_key=True),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("kind", "name", "attributes")),
        sa.Column("created", _TEXT, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "runs",
        sa.Column("id", _TEXT, primary_key=True),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("kind", "actor", "started")),
        sa.Column("finished", _TEXT),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("status", "parameters")),
        sqlite_strict=True,
    )
    op.create_table(
        "run_assets",
        sa.Column("run_id", _TEXT, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("role", _TEXT, primary_key=True),
        sa.Column("asset_id", _TEXT, sa.ForeignKey("assets.id"), primary_key=True),
        sqlite_strict=True,
    )
    fields = ("time", "actor", "action", "subject", "outcome", "body", "previous", "hash")
    op.create_table(
        "events",
        sa.Column("seq", _INTEGER, primary_key=True, autoincrement=False),
        *(sa.Column(name, _TEXT, nullable=False) for name in fields),
        sqlite_strict=True,
    )
