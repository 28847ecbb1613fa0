"""The process that PyBDSF runs in: ``python -m racs_transients.finders.pybdsf_worker FOLDER``."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import bdsf


def main(folder: Path) -> None:
    """Run PyBDSF on the image of a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``image.fits`` and ``arguments.txt``, and receives ``pybdsf_gaul.csv``, the list of Gaussians,
        where there are any.
    """
    arguments = ast.literal_eval((folder / "arguments.txt").read_text(encoding="utf-8"))
    # indir other than "./" would be put before absolute names of maps, too
    result = bdsf.process_image("image.fits", indir="./", outdir=".", quiet=True, **arguments)
    if result.gaussians:
        result.write_catalog(outfile=str(folder / "pybdsf_gaul.csv"), format="csv", catalog_type="gaul", clobber=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
