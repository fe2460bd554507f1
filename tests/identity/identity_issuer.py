"""An issuer of tokens of our own, on loopback, that does what an attack needs."""

import hmac
import json
import threading
from base64 import urlsafe_b64encode
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jws import JWSRegistry

from cipherset.interfaces.http.settings import Oidc

AUDIENCE = "cipherset-gateway"
ALGORITHMS = ("ES256", "RS256", "PS256", "HS256", "ES384")


class Issuer:
    """Serves discovery and keys; counts what it was asked for."""

    def __init__(self, url):
        self.url = url
        self.keys = {"one": ECKey.generate_key("P-256", {"kid": "one"})}
        self.asked = Counter()
        self.discovery = None
        self.jwks = None
        self.is_up = True

    def oidc(self, **more):
        return Oidc(issuer=self.url, audience=AUDIENCE, **more)

    def answers(self, path):
        self.asked[path] += 1
        if not self.is_up:
            return None
        if path == "/.well-known/openid-configuration":
            told = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
            return json.dumps(told if self.discovery is None else self.discovery).encode()
        if path == "/jwks":
            public = KeySet(list(self.keys.values())).as_dict(private=False)
            return json.dumps(public if self.jwks is None else self.jwks).encode()
        return None

    def claims(self, now, **changed):
        told = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "4711",
            "client_id": "lab",
            "jti": "j-1",
            "iat": int(now),
            "exp": int(now) + 300,
        } | changed
        return {name: value for name, value in told.items() if value is not None}

    def token(self, claims, *, key=None, **header):
        key = key or self.keys["one"]
        told = {"typ": "at+jwt", "alg": "ES256", "kid": key.kid} | header
        told = {name: value for name, value in told.items() if value is not None}
        return signed(told, claims, key)


def signed(header, claims, key):
    """A JWS with any header and any payload at all: no library has a say in it."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    text = f"{_part(json.dumps(header).encode())}.{_part(payload)}"
    if isinstance(key, bytes):
        return f"{text}.{_part(hmac.digest(key, text.encode(), 'sha256'))}"
    algorithm = JWSRegistry.algorithms.get(header["alg"] if header["alg"] in ALGORITHMS else "none")
    return f"{text}.{_part(algorithm.sign(text.encode(), key))}"


def _part(raw):
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def hs256_with(public):
    """The old trick: an HMAC under the public key's own text."""
    return public.as_pem(private=False)


def rsa(bits, kid):
    private = generate_private_key(65537, bits)
    return RSAKey(private, private, {"kid": kid})


@contextmanager
def serving():
    """An issuer that answers."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 60

        def do_GET(self):
            raw = issuer.answers(self.path)
            self.send_response(200 if raw is not None else 503)
            self.send_header("content-length", str(len(raw or b"")))
            self.end_headers()
            self.wfile.write(raw or b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)
        assert not thread.is_alive()
