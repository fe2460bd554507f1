"""The gateway of one person on a real socket, with little patience for services."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import openai
from relay_upstream import DEADLINE_S, SECRET_KEY, serving

from cipherset.app.access.permissions import active
from cipherset.app.assets.standing import approve
from cipherset.app.serving.relay import services
from cipherset.app.serving.relay.services import ServiceRequest
from cipherset.app.workspace import Session, hold
from cipherset.custody.ledger import Event
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.claimed import ClaimedIdentity
from cipherset.interfaces.http.services import Services

RULES = "[upstream]\nread_s = 30\ntotal_s = 60\nwait_s = 0.01\n"
TOKEN = "the-callers-own-token"


@dataclass
class Gateway:
    session: Session
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def client(self, kind=openai.OpenAI):
        return kind(base_url=self.url, api_key=TOKEN, max_retries=0, timeout=DEADLINE_S)

    def events(self) -> list[Event]:
        ledger = self.session.held.ledger
        return [one for one in ledger.events() if one.action == "query"]

    def last(self) -> tuple[str, dict]:
        """The outcome of the last request, and what was written of it."""
        event = self.events()[-1]
        return event.outcome, json.loads(event.body)


def session_in(home: Path) -> Session:
    return Session(home, "root", home.parent, TerminalProgress())


def prepared(home: Path, url: str, rules: str) -> Path:
    """The workspace, with the service ``chat`` at ``url``, its key, and ``guard.toml``."""
    home.mkdir(exist_ok=True)
    key = home.parent / "key.txt"
    key.write_text(SECRET_KEY + "\n")
    session = session_in(home)
    services.add(session, ServiceRequest("chat", url, ["small", "org/large"], key))
    approve(session, "service:chat")
    (home / "guard.toml").write_text(rules)
    return home


@contextmanager
def gateway(home: Path) -> Iterator[Gateway]:
    with hold(session_in(home)) as held:
        identity = ClaimedIdentity("root", lambda: active(held).limits.grants.self_approval)
        with serving(build_app(Services(held, identity)), lifespan="on") as port:
            yield Gateway(held, port)
