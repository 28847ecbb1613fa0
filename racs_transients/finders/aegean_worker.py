"""The process that Aegean runs in: ``python -m racs_transients.finders.aegean_worker FOLDER FIRST STEP``."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import numpy as np
from AegeanTools.catalogs import save_catalog
from AegeanTools.source_finder import SourceFinder
from AegeanTools.wcs_helpers import Beam


def main(folder: Path, first: int, step: int) -> None:
    """Run Aegean on every `step`-th stripe of a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``arguments.json`` and a folder for each stripe with ``image.fits``, ``rms.fits`` and
        ``background.fits``, which receives ``aegean_comp.csv`` where there are sources.
    first, step : int
        The stripes that this process works on.
    """
    # Aegean 2.3.5 catches np.linalg.linalg.LinAlgError, a name that numpy 2.4 no longer has: a fit that
    # does not converge would end the whole run
    if not hasattr(np.linalg, "linalg"):
        np.linalg.linalg = np.linalg  # type: ignore[attr-defined]
    # its own handler colours the lines for a terminal
    logging.getLogger("AegeanTools").handlers.clear()
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(message)s")
    arguments = json.loads((folder / "arguments.json").read_text(encoding="utf-8"))
    if "beam" in arguments:
        arguments["beam"] = Beam(*arguments["beam"])
    for stripe in sorted(folder.glob("stripe_*"))[first::step]:
        # results pile up in a SourceFinder: a fresh one for each stripe
        sources = SourceFinder().find_sources_in_image(
            str(stripe / "image.fits"),
            rmsin=str(stripe / "rms.fits"),
            bkgin=str(stripe / "background.fits"),
            **arguments,
        )
        if sources:
            save_catalog(str(stripe / "aegean.csv"), sources)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
