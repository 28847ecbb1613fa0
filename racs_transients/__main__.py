"""``python -m racs_transients`` is ``racs-transients``."""

import sys

from racs_transients.cli import main

sys.exit(main())
