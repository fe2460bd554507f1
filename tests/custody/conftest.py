"""The servers that this room is tested against, and the places where a ledger may be kept."""

from custody_ledgers import ledger, place
from custody_postgres import postgresql
from custody_servers import aws_credentials, ministack, moto, openbao, softhsm

__all__ = [
    "aws_credentials",
    "ledger",
    "ministack",
    "moto",
    "openbao",
    "place",
    "postgresql",
    "softhsm",
]
