"""The site, and at one address more how many requests it is answering: tests empty the tables when it answers none."""

from __future__ import annotations

from tests.web.live import BUSY
from web_server.wsgi import application as site

_running = set()


class Answer:
    """An answer of the site, which counts until it is closed."""

    def __init__(self, environ, start_response):
        _running.add(self)
        try:
            self.parts = site(environ, start_response)
        except BaseException:
            _running.discard(self)
            raise

    def __iter__(self):
        return iter(self.parts)

    def close(self):
        try:
            if hasattr(self.parts, "close"):
                self.parts.close()
        finally:
            _running.discard(self)


def application(environ, start_response):
    if environ["PATH_INFO"] != BUSY:
        return Answer(environ, start_response)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(_running)).encode()]
