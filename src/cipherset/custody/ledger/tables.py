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
