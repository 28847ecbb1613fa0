"""The worker: ``racs-transients manage work``."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, close_old_connections, connection

from web_server.notify.services import not_configured
from web_server.notify.slack import Slack
from web_server.notify.worker import work_once

POLL = 5.0  # seconds between two looks at the queue


class Command(BaseCommand):
    """Send the queued messages to Slack until it is stopped."""

    help = "Send the queued messages to Slack until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments.

        Parameters
        ----------
        parser : argparse.ArgumentParser
            The parser.
        """
        parser.add_argument("--once", action="store_true", help="send what is due, then stop")

    def handle(self, *_: Any, once: bool, **__: Any) -> None:
        """Work.

        Parameters
        ----------
        *_, **__
            Of Django's commands.
        once : bool
            Whether to stop when nothing is due.

        Raises
        ------
        CommandError
            If Slack is not set up.
        """
        missing = not_configured()
        if missing:
            raise CommandError(missing)
        stop = threading.Event()
        if not once:
            # the message that is being sent is finished first
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        slack = Slack()
        while not stop.is_set():
            try:
                sent = work_once(slack, wait=stop.wait, say=self._say)
            except OperationalError as error:
                if once:
                    raise CommandError(f"The database does not answer: {error}") from error
                self._say(f"the database does not answer, trying again: {error}")
                connection.close()
            else:
                if once:
                    self._say("nothing is due" if not sent else f"{sent} messages taken")
                    return
            close_old_connections()
            stop.wait(POLL)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
