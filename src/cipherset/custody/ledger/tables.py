"""The ledger's tables, in words that SQLite and PostgreSQL share.

Only integers and text, so that SQLite can hold them STRICT; JSON is text in its one canonical
form (RFC 8785), times are text in UTC (ISO 8601).
"""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, Table, Text

METADATA: Final = MetaData()

assets: Final = Table(
    "assets",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("created", Text, nullable=False),
    sqlite_strict=True,
)

runs: Final = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("started", Text, nullable=False),
    Column("finished", Text),
    Column("status", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    sqlite_strict=True,
)

run_assets: Final = Table(
    "run_assets",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("asset_id", Text, ForeignKey("assets.id"), primary_key=True),
    sqlite_strict=True,
)

# SQLite calls its 64-bit integer INTEGER; elsewhere that is 32 bits.
events: Final = Table(
    "events",
    METADATA,
    Column(
        "seq",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("time", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    sqlite_strict=True,
)

principals: Final = Table(
    "principals",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("roles", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("public_key", Text),
    Column("status", Text, nullable=False),
    Column("created", Text, nullable=False),
    sqlite_strict=True,
)

# A grant is a request and the votes on it; where it stands is computed, never stored.
grants: Final = Table(
    "grants",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("request", Text, nullable=False),
    Column("created", Text, nullable=False),
    sqlite_strict=True,
)

votes: Final = Table(
    "votes",
    METADATA,
    Column("grant_id", Text, ForeignKey("grants.id"), primary_key=True),
    Column("principal", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("time", Text, nullable=False),
    Column("envelope", Text, nullable=False),
    sqlite_strict=True,
)

policies: Final = Table(
    "policies",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("activated", Text),
    sqlite_strict=True,
)

# What was spent, for ever: a budget has no refill.
budgets: Final = Table(
    "budgets",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("used", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    sqlite_strict=True,
)
