"""A real PostgreSQL server of the Debian package, for the session; each test finds it empty."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

PASSWORD: Final = "canary-password-4711"
USER: Final = "gateway"
DATABASE: Final = "postgres"  # the one that is there
DEADLINE_S: Final = 600
UNPRIVILEGED: Final = ("postgres", "nobody")  # the server will not run as root


@dataclass(frozen=True)
class Server:
    """Listens in ``home`` on a socket only; every connection needs the password."""

    home: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://{USER}@/{DATABASE}?host={self.home}"

    def empty(self) -> None:
        """Leave nothing of the last test; a database of its own for each takes longer."""
        self.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")

    def run(self, *statements: str) -> None:
        import psycopg

        where = {"host": str(self.home), "user": USER, "password": PASSWORD, "dbname": DATABASE}
        # Whoever left a transaction open has locks, for which a statement waits without end.
        within = {"connect_timeout": DEADLINE_S, "options": f"-c lock_timeout={DEADLINE_S}s"}
        with psycopg.connect(**where, **within, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def start(self) -> None:
        settings = f"-c listen_addresses= -c unix_socket_directories={self.home} -c fsync=off "
        settings += "-c autovacuum=off -c full_page_writes=off"
        log = str(self.home / "log")
        self.call("pg_ctl", "start", "-w", "-D", str(self.data), "-l", log, "-o", settings)

    def stop(self) -> None:
        """At once, as if it were killed."""
        self.call("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self.data))

    def call(self, program: str, *options: str) -> None:
        user = next((name for name in UNPRIVILEGED if _is_user(name)), None)
        other = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        done = subprocess.run(
            [_found(program), *options],
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            timeout=DEADLINE_S,
            **(other if os.geteuid() == 0 else {}),
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    home = Path(tempfile.mkdtemp(prefix="cipherset-pg-"))  # a socket's path is short
    server = Server(home)
    try:
        (home / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            user = pwd.getpwnam(next(name for name in UNPRIVILEGED if _is_user(name)))
            for path in (home, home / "password"):
                os.chown(path, user.pw_uid, user.pw_gid)
        secure = ("--auth=scram-sha-256", f"--pwfile={home / 'password'}", "-U", USER)
        server.call("initdb", "-D", str(server.data), "-E", "UTF8", "--no-sync", *secure)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _found(program: str) -> str:
    """Debian keeps what is a version's own out of the way."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return str(versions[-1]) if versions else str(shutil.which(program))


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
