"""The stage that writes the report, after all others."""

from __future__ import annotations

import pandas as pd

from racs_transients.report import report_html
from racs_transients.stages.run import Run

REPORT = "report.html"


def report(rows: pd.DataFrame, run: Run) -> None:
    """Write the report into the results folder.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``schema.CROSSMATCHES``, final; without rows where no transient search was asked for.
    run : Run
        Results folder and what it knows of the run.

    Raises
    ------
    RunFolderError
        If it cannot be written.
    """
    with run.stages("report") as done:
        page = report_html(run.folder.manifest, rows, run.folder.path)
        run.folder.write(REPORT, lambda path: path.write_text(page, encoding="utf-8"))
        run.folder.add_product(REPORT, "report")
        done(f"{len(page) / 1e6:.1f} MB")
