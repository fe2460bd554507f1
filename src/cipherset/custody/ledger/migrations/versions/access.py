"""Principals, grants and the votes on them, policies, budgets."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "2"
down_revision: Final = "1"

_INTEGER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make them."""
    _make(
        "principals",
        sa.Column("name", _TEXT, primary_key=True),
        *_needed("roles", "attributes"),
        sa.Column("public_key", _TEXT),
        *_needed("status", "created"),
    )
    _make(
        "grants",
        sa.Column("id", _TEXT, primary_key=True),
        *_needed("request", "created", "action", "beneficiary"),
    )
    op.create_index("grants_of", "grants", ["beneficiary", "action"], if_not_exists=True)
    op.create_index("events_about", "events", ["subject", "action"], if_not_exists=True)
    op.create_index("runs_of", "run_assets", ["asset_id"], if_not_exists=True)
    _make(
        "votes",
        sa.Column("grant_id", _TEXT, sa.ForeignKey("grants.id"), primary_key=True),
        sa.Column("principal", _TEXT, primary_key=True),
        sa.Column("kind", _TEXT, primary_key=True),
        *_needed("time", "envelope"),
    )
    _make(
        "policies",
        sa.Column("digest", _TEXT, primary_key=True),
        *_needed("text", "author", "created"),
        sa.Column("activated", _TEXT),
    )
    _make(
        "budgets",
        sa.Column("kind", _TEXT, primary_key=True),
        sa.Column("scope", _TEXT, primary_key=True),
        sa.Column("used", _INTEGER, nullable=False),
    )


def _needed(*names: str) -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, _TEXT, nullable=False) for name in names)


def _make(name: str, *columns: sa.Column[str] | sa.Column[int]) -> None:
    op.create_table(name, *columns, sqlite_strict=True, if_not_exists=True)
