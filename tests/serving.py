"""Starting a program that serves the site, and asking it for a page."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving_site(
    command: Sequence[str], port: int, *, cwd: Path, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run a server until the block ends; the value is its address."""
    url = f"http://127.0.0.1:{port}"
    with (cwd / "server.log").open("w+") as log:
        process = subprocess.Popen(command, cwd=cwd, env=environment or dict(os.environ), stdout=log, stderr=log)
        try:
            _wait_for(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(url: str, process: subprocess.Popen[bytes], log) -> None:  # type: ignore[no-untyped-def]
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url + "/accounts/login/", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    log.seek(0)
    raise AssertionError(f"nothing is served at {url}: {log.read()}")
