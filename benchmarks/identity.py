"""What it costs to know who asks: microseconds of CPU per request, one thread, no network."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.requests import Request

from cipherset.app.access import principals, tokens
from cipherset.app.access.binding import JKT, key_thumbprint, public_jwk
from cipherset.app.access.credentials import open_credentials
from cipherset.app.access.principals import Change
from cipherset.app.access.tokens import Wanted
from cipherset.app.workspace import Session, hold
from cipherset.core.errors import PolicyError
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.http.identity.replay import USED_FILE, LastProof, ReplayStore
from cipherset.interfaces.http.identity.verified import VerifiedIdentity
from cipherset.interfaces.http.settings import Proof
from cipherset.interfaces.proof import PrivateKey, make_proof

URL = "https://127.0.0.1:8443/who"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500)
    n = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with hold(Session(home, "root", home, TerminalProgress())) as held:
            _measure(held, n)
    return 0


def _measure(held: Session, n: int) -> None:
    principals.add(held, Change("ada", ("reviewer",)))
    used = ReplayStore(LastProof(held.home / USED_FILE))
    identity = VerifiedIdentity(open_credentials(held), Proof(), used, takes_ours=True)
    print(f"{'way':<34}{'CPU us':>10}")
    for name, private in (
        ("token, proof on Ed25519", Ed25519PrivateKey.generate()),
        ("token, proof on P-256", generate_private_key(SECP256R1())),
    ):
        token = _token(held, private)
        asked = [_request(_headers(private, token)) for _ in range(n)]
        print(f"{name:<34}{_median(identity.identify, asked):>10.0f}")
        wrong = token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB")
        unknown = "cst_" + "0" * 16 + token[20:]
        for what, shown in (("wrong secret", wrong), ("unknown", unknown)):
            asked = [_request(_headers(private, shown)) for _ in range(n)]
            print(f"{f'  {what}, refused':<34}{_median(_refused(identity), asked):>10.0f}")


def _token(held: Session, private: PrivateKey) -> str:
    binding = f"{JKT}:{key_thumbprint(public_jwk(private.public_key()))}"
    return tokens.issue(held, Wanted("ada", binding))["token"]


def _refused(identity: VerifiedIdentity) -> Callable[[Request], None]:
    def ask(request: Request) -> None:
        try:
            identity.identify(request)
        except PolicyError:
            return
        raise SystemExit("somebody was let in")

    return ask


def _headers(private: PrivateKey, token: str) -> dict[str, str]:
    proof = make_proof(private, "GET", URL, token)
    return {"authorization": f"DPoP {token}", "dpop": proof}


def _request(headers: dict[str, str]) -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "https",
            "path": "/who",
            "raw_path": b"/who",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "server": ("127.0.0.1", 8443),
            "client": ("127.0.0.1", 50_000),
        }
    )


def _median(ask: Callable[[Request], object], asked: list[Request]) -> float:
    taken = []
    for one in asked:
        start = time.thread_time()
        ask(one)
        taken.append(time.thread_time() - start)
    return sorted(taken)[len(taken) // 2] * 1e6


if __name__ == "__main__":
    sys.exit(main())
