"""The servers that key providers are tested against, for every test of this room."""

from custody_servers import aws_credentials, ministack, moto, openbao, softhsm

__all__ = ["aws_credentials", "ministack", "moto", "openbao", "softhsm"]
