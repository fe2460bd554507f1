"""An object store: a real server on this machine, on a port of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ports import free_port

BUCKET = "tickets"


@dataclass(frozen=True)
class Store:
    """One bucket; objects are put and listed with another client than the one that is tested."""

    client: Any
    port: int

    def at(self, key: str) -> str:
        """The address of an object or of a prefix."""
        where = f"endpoint_override=127.0.0.1:{self.port}&scheme=http&region=us-east-1"
        return f"s3://{BUCKET}/{key}?{where}"

    def __call__(self, key: str, content: bytes) -> str:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)
        return self.at(key)

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def names(self) -> set[str]:
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", ())
        return {each["Key"] for each in found if not each["Key"].endswith("/")}


@contextmanager
def running(log: Path) -> Iterator[Store]:
    """The server, with one bucket."""
    import boto3

    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        for _ in range(3000):
            with socket.socket() as asking:
                if asking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        client = boto3.session.Session().client(
            "s3", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}"
        )
        client.create_bucket(Bucket=BUCKET)
        yield Store(client, port)
    finally:
        server.kill()
        server.wait(timeout=600)
