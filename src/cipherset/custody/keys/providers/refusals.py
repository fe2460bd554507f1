"""What a provider refuses with, whichever it is: one code for one thing that went wrong.

``where`` names a place (an address, a token, a file), never what is kept there.
"""

from cipherset.core.errors import BackendError, KeyAccessError


def unreachable(where: str, why: str) -> BackendError:
    """It does not answer: mend it, then try again."""
    return BackendError(
        f"{where} cannot be reached: {why}",
        code="provider_unreachable",
        hint="see that the provider runs and that its address is right, then try again",
    )


def untrusted(where: str) -> BackendError:
    """It answers with a certificate that nobody known has signed."""
    return BackendError(
        f"{where} shows a certificate that is not trusted",
        code="provider_certificate",
        hint="give the certificate authority that signed it: ca-file=PATH",
    )


def failed(where: str, answer: str) -> BackendError:
    """It answers with an error that is none of the others."""
    return BackendError(
        f"{where} answered with an error: {answer}",
        code="provider_failed",
        hint="look it up in the log of the provider",
    )


def locked(where: str, why: str) -> KeyAccessError:
    """It answers, but it is shut for everybody."""
    return KeyAccessError(
        f"{where} is locked: {why}",
        code="provider_locked",
        hint="ask the custodian of the provider to unlock or unseal it",
    )


def denied(where: str, why: str) -> KeyAccessError:
    """It answers, and says no to this caller."""
    return KeyAccessError(
        f"{where} says no: {why}",
        code="provider_denied",
        hint="check the credentials, and that they are allowed what they are used for",
    )


def disabled(where: str, why: str) -> KeyAccessError:
    """The key-encryption key is there, but may not be used."""
    return KeyAccessError(
        f"the key-encryption key at {where} is not in use: {why}",
        code="key_disabled",
        hint="ask the custodian to enable it, or to cancel its deletion",
    )


def missing(where: str) -> KeyAccessError:
    """There is no such key-encryption key."""
    return KeyAccessError(
        f"there is no key-encryption key at {where}",
        code="kek_missing",
        hint="check the name; what a lost key-encryption key has wrapped cannot be opened",
    )


def unsuitable(where: str, why: str) -> KeyAccessError:
    """The key-encryption key is not of the kind that it has to be."""
    return KeyAccessError(
        f"the key-encryption key at {where} is not fit for it: {why}",
        code="kek_unsuitable",
        hint="make another one, as docs/how-to/keep-keys-in-an-hsm.md says",
    )


def not_unwrapped(where: str) -> KeyAccessError:
    """Another key, other associated data, or a changed byte: nobody can tell which."""
    return KeyAccessError(
        f"a key does not open at {where}: another key-encryption key wrapped it, "
        "or it was changed or moved",
        code="key_unwrap",
        hint="use the key-encryption key that it was wrapped with, or restore it from a backup",
    )
