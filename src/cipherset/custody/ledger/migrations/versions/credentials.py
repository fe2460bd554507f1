"""What callers from outside show to be a principal."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "4"
down_revision: Final = "3"

_TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "credentials",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("principal", _TEXT, sa.ForeignKey("principals.name"), nullable=False),
        *(sa.Column(name, _TEXT) for name in ("binding", "secret", "expires")),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("created", "mac")),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index("credentials_of", "credentials", ["principal"], if_not_exists=True)
