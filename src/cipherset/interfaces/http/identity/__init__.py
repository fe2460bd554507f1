"""Who asks: from a connection and a request to a principal of the ledger, or to nobody."""

from cipherset.interfaces.http.identity.known import Identity, Known, unidentified

__all__ = ["Identity", "Known", "unidentified"]
