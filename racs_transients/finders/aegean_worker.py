"""The process that Aegean runs in: ``python -m racs_transients.finders.aegean_worker FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from AegeanTools.catalogs import save_catalog
from AegeanTools.source_finder import SourceFinder


def main(folder: Path) -> None:
    """Run Aegean on ``image.fits`` of a folder with its ``rms.fits`` and ``background.fits``.

    Parameters
    ----------
    folder : pathlib.Path
        Holds the three images and ``arguments.json``; receives ``aegean_comp.csv``.
    """
    # Aegean 2.3.5 catches np.linalg.linalg.LinAlgError, a name that numpy 2.4 no longer has: a fit that
    # does not converge would end the whole run
    if not hasattr(np.linalg, "linalg"):
        np.linalg.linalg = np.linalg  # type: ignore[attr-defined]
    arguments = json.loads((folder / "arguments.json").read_text(encoding="utf-8"))
    maps = {"rmsin": str(folder / "rms.fits"), "bkgin": str(folder / "background.fits")}
    # a forced value was asked for: then no map may override it
    if "rms" in arguments:
        del maps["rmsin"]
    if "bkg" in arguments:
        del maps["bkgin"]
    sources = SourceFinder().find_sources_in_image(str(folder / "image.fits"), **maps, **arguments)
    if sources:
        save_catalog(str(folder / "aegean.csv"), sources)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
