"""Forced photometry on real SUMSS mosaics agrees with the survey's own catalogue and noise."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from racs_transients import sky
from racs_transients.mosaics import index_mosaics, measure_on_mosaics, open_mosaic
from racs_transients.noise import measure_noise
from racs_transients.photometry import forced_photometry
from racs_transients.surveys import SUMSS

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FORNAX_A = (50.67, -37.21)
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not (DATA / "sumss_mosaics").is_dir(), reason="no ../shared/data with SUMSS mosaics"),
]


@pytest.fixture(scope="module")
def mosaics():
    return index_mosaics(DATA / "sumss_mosaics", SUMSS)


@pytest.fixture(scope="module")
def catalogue(mosaics):
    table = pd.read_csv(DATA / "reference_catalogues" / "sumss_vizier_columns_derived.csv.gz", comment="#")
    table = table.rename(columns={"_RAJ2000": "ra", "_DEJ2000": "dec"})
    near = [sky.separation(table["ra"], table["dec"], one.ra, one.dec) / 3600 < one.radius for one in mosaics]
    return table[np.any(near, axis=0)].reset_index(drop=True)


def test_peaks_of_the_genuine_catalogue_are_recovered(mosaics, catalogue):
    # the derived list cannot tell: at −40 < δ < −30 its St exceeds the genuine one by 8.6 % in the median
    genuine = pd.read_csv(
        DATA / "reference_catalogues" / "sumss_bright_sources.csv.gz", sep=";", comment="#", low_memory=False
    )
    genuine = genuine.rename(columns={"_RAJ2000": "ra", "_DEJ2000": "dec"})
    columns = ["ra", "dec", "Sp", "e_Sp", "St", "MajAxis"]
    genuine = genuine[columns].apply(pd.to_numeric, errors="coerce").dropna().reset_index(drop=True)
    found = measure_on_mosaics(mosaics, SUMSS, genuine["ra"], genuine["dec"], neighbours=catalogue[["ra", "dec"]])
    measured = found["failure"].isna()
    ratio = (found["flux"] / genuine["Sp"])[measured]
    assert len(ratio) >= 15
    assert ratio.median() == pytest.approx(1, abs=0.03)
    assert np.percentile(np.abs(ratio - 1), 68) < 0.05


def test_faint_isolated_sources_have_the_catalogues_flux(mosaics, catalogue):
    found = measure_on_mosaics(mosaics, SUMSS, catalogue["ra"], catalogue["dec"], neighbours=catalogue[["ra", "dec"]])
    isolated = sky.nearest_neighbour(catalogue["ra"], catalogue["dec"]) > 180
    faint = isolated & catalogue["St"].between(10, 18) & found["failure"].isna()
    assert faint.sum() > 100
    # only the faint ones: above 18 mJy the derived list runs high here, see above
    assert (found["flux"] / catalogue["St"])[faint].median() == pytest.approx(1, abs=0.05)


def test_blank_sky_has_pulls_of_width_one(mosaics, catalogue):
    rng = np.random.default_rng(1)
    for mosaic in mosaics:
        image = open_mosaic(mosaic.path, SUMSS)
        ny, nx = image.data.shape
        ra, dec = image.pixel_to_sky(rng.uniform(30, nx - 30, 5000), rng.uniform(30, ny - 30, 5000))
        _, separation = sky.nearest(ra, dec, catalogue["ra"], catalogue["dec"])
        # Fornax A's lobes and bowl widen the pulls of the western mosaic to 1.04–1.10 where they are counted
        empty = (separation > 300) & (sky.separation(ra, dec, *FORNAX_A) > 3600)
        ra, dec = ra[empty], dec[empty]
        found = forced_photometry(image, measure_noise(image), ra, dec, beam_axes=SUMSS.beam_axes(dec))
        low, middle, high = np.nanpercentile(found["flux"] / found["flux_err"], [15.87, 50, 84.13])
        # spokes and arcs make tails; the core is noise
        assert (high - low) / 2 == pytest.approx(1, abs=0.08)
        # sources too faint for the catalogue shift the median by up to 0.1
        assert middle == pytest.approx(0, abs=0.15)
        # 758 mosaics have a median of 2.0 mJy at this declination (their published noise)
        assert found["rms"].median() == pytest.approx(2.0, abs=0.3)
