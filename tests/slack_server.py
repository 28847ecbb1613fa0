"""A local server that answers like Slack's Web API: the calls of a message and of a file in its thread."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

POST, GET_URL, UPLOAD, COMPLETE = (
    "/api/chat.postMessage",
    "/api/files.getUploadURLExternal",
    "/upload/v1/F1",
    "/api/files.completeUploadExternal",
)
CHANNEL = "C0123456789"


@dataclass
class LocalSlack:
    """What was asked, and what goes wrong next."""

    url: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    # for a path, what the next requests get: a Slack error, an HTTP status, (429, pause), "hang up" or seconds
    trouble: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def said(self, path: str) -> list[Any]:
        """Return the bodies of the requests to a path that were answered well."""
        return [body for asked, body in self.calls if asked == path]

    def answer(self, path: str, body: Any) -> dict[str, Any]:
        self.calls.append((path, body))
        if path == POST:
            return {"ok": True, "ts": f"1700000000.{len(self.said(POST)):06d}", "channel": CHANNEL}
        if path == GET_URL:
            return {"ok": True, "upload_url": f"{self.url}{UPLOAD}", "file_id": "F1"}
        return {"ok": True, "files": [{"id": "F1", "title": "stamp"}]}


def _body(headers: Any, raw: bytes) -> Any:
    if headers.get("Content-Type", "").startswith("application/json"):
        return json.loads(raw)
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded") and headers.get("Authorization"):
        return {name: values[0] for name, values in parse_qs(raw.decode()).items()}
    return raw


@contextmanager
def local_slack(token: str = "xoxb-test") -> Iterator[LocalSlack]:
    """Serve until the block ends."""
    slack = LocalSlack()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def reply(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            # who did not wait has hung up
            with suppress(BrokenPipeError):
                self.wfile.write(body)

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            trouble = slack.trouble[self.path].pop(0) if slack.trouble[self.path] else None
            if isinstance(trouble, float):
                time.sleep(trouble)
            if trouble == "hang up":
                self.close_connection = True
            elif isinstance(trouble, tuple):
                status, pause = trouble
                self.reply(status, b'{"ok": false, "error": "ratelimited"}', Retry_After=str(pause))
            elif isinstance(trouble, int):
                self.reply(trouble, b"<html>upstream</html>", Content_Type="text/html")
            elif isinstance(trouble, str):
                self.reply(200, json.dumps({"ok": False, "error": trouble}).encode())
            elif self.path != UPLOAD and self.headers.get("Authorization") != f"Bearer {token}":
                self.reply(200, b'{"ok": false, "error": "invalid_auth"}')
            else:
                self.reply(200, json.dumps(slack.answer(self.path, _body(self.headers, raw))).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    slack.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield slack
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
