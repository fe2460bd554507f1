"""What was spent of each row; the keys that principals had before."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "3"
down_revision: Final = "2"

_INTEGER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "row_uses",
        sa.Column("kind", _TEXT, primary_key=True),
        sa.Column("row", _INTEGER, primary_key=True, autoincrement=False),
        sa.Column("used", _INTEGER, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("principals")}
    if "past_keys" not in known:
        op.add_column(
            "principals", sa.Column("past_keys", _TEXT, nullable=False, server_default="[]")
        )
