#!/usr/bin/env python
"""Django's administrative commands for the site, in the package or in a copy of this folder."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Run the command of the command line with the settings of this folder."""
    if HERE.name != "web_server":
        sys.exit(f"The folder of the site must be called web_server, not {HERE.name}: Python knows it by that name.")
    # a copy comes before the installed package; its files are no modules of the top level
    sys.path[:] = [str(HERE.parent), *(entry for entry in sys.path if Path(entry or ".").resolve() != HERE)]
    own = (HERE / "settings.py").exists()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web_server.settings" if own else "web_server.default_settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
