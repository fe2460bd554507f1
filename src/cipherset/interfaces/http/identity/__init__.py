"""Who asks: from a connection and a request to a principal of the ledger, or to nobody."""

from cipherset.interfaces.http.identity.known import CHALLENGE, Identity, Known, unidentified

__all__ = ["CHALLENGE", "Identity", "Known", "unidentified"]
