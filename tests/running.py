"""A real server with real processes around it, at a chosen instant."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

HOUSE = Path(__file__).parent.parent
HUISHENG = Path(sys.executable).with_name("huisheng")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Answer:
    """What a request came back with."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Running:
    """`huisheng` on one database, its clock moved so that the server's now is the instant last given."""

    database_url: str
    home: Path
    at: datetime
    port: int = field(default_factory=free_port)
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        shift = int((self.at - datetime.now(UTC)).total_seconds())
        return {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "HUISHENG_HOME": str(self.home),
            "HUISHENG_CLOCK": f"{shift:+d}s",
            "HUISHENG_PUBLIC_RATE": "100000 per minute",
            **self.env,
        }

    def command(self, *words: str, stdin: bytes = b"", check: bool = True) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [str(HUISHENG), *words],
            input=stdin,
            capture_output=True,
            env=self.environment(),
            cwd=HOUSE,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout.decode()}\n{done.stderr.decode()}"
        return done

    def tick(self, at: datetime | None = None) -> dict[str, Any]:
        moment = ["--at", at.isoformat()] if at else []
        summary: dict[str, Any] = json.loads(self.command("tick", *moment).stdout)
        return summary

    def start(self, *words: str) -> "Running":
        self.home.mkdir(parents=True, exist_ok=True)
        log = (self.home / "server.log").open("ab")
        self.process = subprocess.Popen(
            [str(HUISHENG), "serve", "--port", str(self.port), *(words or ("--no-worker",))],
            stdout=log, stderr=log, env=self.environment(), cwd=HOUSE, start_new_session=True,
        )  # fmt: skip
        log.close()
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.home / "server.log").read_text()[-3000:]
            try:
                if self.ask("GET", "/readyz").status < 500:
                    return self
            except OSError:
                time.sleep(0.05)  # the port is not open yet; the loop has an end
        raise AssertionError((self.home / "server.log").read_text()[-3000:])

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def move_to(self, at: datetime) -> "Running":
        """Restarts the server at another instant."""
        self.stop()
        self.at = at
        return self.start()

    def ask(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Answer:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.url + quote(path, safe="/?&=%:,+-_.~"), data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, dict(refused.headers), refused.read())
