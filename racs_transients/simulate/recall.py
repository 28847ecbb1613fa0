"""Compare the candidates of a run with the truth of its simulated field."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import pandas as pd

from racs_transients.beam import Beam
from racs_transients.errors import ConfigError
from racs_transients.products import read_results
from racs_transients.simulate.completeness import Completeness, compare_with_truth
from racs_transients.simulate.settings import FieldSettings

logger = logging.getLogger(__name__)

# Fainter transients are not expected to be found: brighter flux over the noise, in both bands.
MIN_SNR = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser.
    """
    parser.add_argument("field", type=Path, help="folder that `racs-transients simulate` made")
    parser.add_argument("results", type=Path, help="results folder of a run on it with --transients")


def run(arguments: argparse.Namespace) -> int:
    """Say what was found of the truth, what was lost and why, and what was found besides.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of `add_arguments`.

    Returns
    -------
    int
        0.

    Raises
    ------
    ConfigError, RunFolderError
        If one of the folders is not what it should be.
    """
    settings, truth = arguments.field / "settings.json", arguments.field / "truth.csv"
    for path in (settings, truth):
        if not path.is_file():
            raise ConfigError(f"There is no {path}; give the folder of the field and the results folder of its run.")
    rows = read_results(arguments.results)
    known = json.loads(settings.read_text(encoding="utf-8"))
    field = FieldSettings(**(known | {"beam": Beam(**known["beam"])}))
    result = compare_with_truth(pd.read_csv(truth), rows, field)
    for line in summary(result):
        logger.info(line)
    return 0


def summary(result: Completeness) -> list[str]:
    """Return lines on recall, losses and false candidates.

    Parameters
    ----------
    result : Completeness
        Of `compare_with_truth`.

    Returns
    -------
    list of str
        For people.
    """
    expected = result.transients[result.transients["snr"] >= MIN_SNR]
    lines = []
    for kind, rows in expected.groupby("kind"):
        lines.append(f"{kind}: {rows['found'].sum()} of {len(rows)} found (brighter than {MIN_SNR:g} σ in both bands)")
        lines += [f"  lost: {reason}" for reason in rows.loc[~rows["found"], "reason"]]
    faint = result.transients[result.transients["snr"] < MIN_SNR]
    lines.append(f"fainter ones: {faint['found'].sum()} of {len(faint)} found")
    changed = int(result.false["truly_changed"].sum())
    lines.append(
        f"candidates that are no transient: {len(result.false)} in {result.area:.2f} deg², of them {changed} whose "
        "true flux ratio between the bands is that large"
    )
    return lines
