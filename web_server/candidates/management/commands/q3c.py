"""``manage.py q3c``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from web_server.candidates.q3c import make_indexes


class Command(BaseCommand):
    """Make Q3C and its indexes in a database that did not have it when its tables were made."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command.

        Parameters
        ----------
        *args, **options
            Not looked at.

        Raises
        ------
        CommandError
            Where Q3C cannot be used.
        """
        problem = make_indexes(connection)
        if problem:
            raise CommandError(problem)
        self.stdout.write("The cone search uses Q3C.")
