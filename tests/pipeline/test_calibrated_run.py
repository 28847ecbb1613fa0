"""A whole run on an image whose flux scale and astrometry are off: what the pairs measure is divided out."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from racs_transients import products
from racs_transients.cli import process_askap_image
from racs_transients.image_files import write_image
from racs_transients.surveys import SUMSS, frequency_factor
from tests.painted import CENTRE, NARROW, paint

FLUX_SCALE, EAST, NORTH = 1.2, 2.0, -1.5
FLUX = 40.0  # mJy at 843 MHz


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Forty-nine steady sources, of which the catalogue lists one with three times its flux."""
    folder = tmp_path_factory.mktemp("calibrated")
    steps = (np.arange(7) - 3) * 250 / 3600
    north, east = (v.ravel() for v in np.meshgrid(steps, steps))
    dec = CENTRE[1] + north
    ra = CENTRE[0] + east / np.cos(np.deg2rad(dec))
    peak = FLUX * 1e-3 * FLUX_SCALE / frequency_factor(887.5, SUMSS.frequency)
    shown = zip(ra + EAST / 3600 / np.cos(np.deg2rad(dec)), dec + NORTH / 3600, strict=True)
    beam = (NARROW.major, NARROW.minor, NARROW.pa)
    image = paint([(*place, peak, *beam) for place in shown], shape=(800, 800), rms=2.5e-4)
    write_image(image, folder / "image.fits")
    listed = np.where(np.arange(49) == 24, 3 * FLUX, FLUX)
    names = {"St": listed, "e_St": 2.0, "Sp": listed, "e_Sp": 2.0, "e_RAJ2000": 1.0, "e_DEJ2000": 1.0}
    pd.DataFrame({"_RAJ2000": ra, "_DEJ2000": dec, **names}).to_csv(folder / "sumss.csv", index=False)
    options = ["--sumss-csv", str(folder / "sumss.csv"), "--output-dir", str(folder), "--db-inject", "no"]
    return [str(folder / "image.fits"), "--sumss-only", "--transients", "--produce-overlays", "no", *options]


def run(command, *more):
    assert process_askap_image([*command, *more]) == 0
    results = Path(command[0]).with_name("image_results")
    calibration = json.loads((results / "run.json").read_text(encoding="utf-8"))["surveys"]["SUMSS"]["calibration"]
    return calibration, products.read_results(results)


def test_flux_scale_and_offsets_are_measured_and_the_scale_is_divided_out(command):
    calibration, rows = run(command)
    assert calibration["pairs"] >= 40
    assert calibration["flux_scale"] == pytest.approx(FLUX_SCALE, rel=0.01)
    assert calibration["ra_offset"] == pytest.approx(EAST, abs=0.15)
    assert calibration["dec_offset"] == pytest.approx(NORTH, abs=0.15)
    assert (rows["type"] == "match").all()
    steady = rows[rows["ref_flux"] < 2 * FLUX]
    assert (steady["askap_scaled_flux"] / FLUX).median() == pytest.approx(1, abs=0.01)
    assert steady["ratio"].max() < 1.1
    # the one that faded is the only candidate
    assert rows.loc[rows["is_candidate"], "ref_flux"].tolist() == [3 * FLUX]
    assert rows["ratio"].max() == pytest.approx(3, rel=0.1)


def test_without_correction_fluxes_are_those_of_the_image(command):
    calibration, rows = run(command, "--correct-flux-scale", "no")
    assert calibration["flux_scale"] == pytest.approx(FLUX_SCALE, rel=0.01)
    assert (rows["askap_scaled_flux"] / FLUX).median() == pytest.approx(FLUX_SCALE, rel=0.01)


def test_an_offset_beyond_the_diagnostic_radius_is_told(command, caplog):
    calibration, _ = run(command, "--diagnostic-max-separation", "1", "--clobber")
    assert calibration["pairs"] == 0
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert (
        sum(
            "49 bright isolated sources lie +2.0″ east and -1.5″ north of where SUMSS has them" in warning
            for warning in warnings
        )
        == 1
    )
