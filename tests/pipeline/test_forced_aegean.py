"""A whole run whose forced fluxes are Aegean's."""

import numpy as np
import pandas as pd
import pytest

from racs_transients.cli import process_askap_image

pytestmark = pytest.mark.slow


def test_forced_fluxes_of_aegean_are_those_of_our_own_estimator(small_command, tmp_path):
    rows = {}
    for estimator in ("gls", "aegean"):
        out = tmp_path / estimator
        only = ["--produce-overlays", "no", "--db-inject", "no", "--output-dir", str(out)]
        assert process_askap_image([*small_command, "--forced-photometry", estimator, *only]) == 0
        master = pd.read_csv(next(out.glob("*/transients/transients_master.csv")))
        rows[estimator] = master.set_index(["type", "ref_name", "askap_name"]).sort_index()
    ours, other = rows["gls"], rows["aegean"]
    assert ours.index.equals(other.index)
    for column, kind in (("askap_flux", "noaskapmatch"), ("ref_flux", "nocatalogmatch")):
        one, two = ours.loc[kind], other.loc[kind]
        # within a beam of the survey the light is shared out in other ways
        alone = ~(one["askap_nn_separation"] < 60)
        one, two = one[alone], two[alone]
        assert len(one) > 2
        measured = one[column].notna()
        error = np.hypot(one[f"{column}_err"], two[f"{column}_err"])
        assert ((two[column] - one[column]).abs() < 3 * error)[measured].all()
        # they are not the same numbers: Aegean was asked
        assert (two[column] != one[column])[measured].any()
