"""Real SUMSS mosaics as images: the same survey and epoch as the catalogue, so almost nothing may come out."""

import numpy as np
import pandas as pd
import pytest

from racs_transients import candidates, products, schema, sky, tables
from racs_transients.cli import process_askap_image
from racs_transients.config import FlagSettings
from racs_transients.crossmatch import NO_ASKAP_MATCH, NO_CATALOGUE_MATCH
from racs_transients.flags import is_vetoed
from racs_transients.image import near_blank, quiet_fits, read_image
from racs_transients.simulate.injection import random_positions, with_gaussians, write_like

MOSAICS = ("J0336M36", "J0318M36")
pytestmark = [pytest.mark.realdata, pytest.mark.slow]


def process(image, real_data, folder, *more):
    catalogue = real_data / "reference_catalogues/sumss_vizier_columns_derived.csv.gz"
    arguments = [str(image), "--sumss-only", "--frequency", "843e6", "--sumss-csv", str(catalogue), "--transients"]
    assert process_askap_image([*arguments, "--output-dir", str(folder), *more]) == 0
    results = next(folder.glob(f"{image.name.split('.')[0]}_results"))
    return results, products.read_results(results)


@pytest.fixture(scope="module")
def plain(real_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    return {name: process(real_data / f"sumss_mosaics/{name}.FITS.gz", real_data, folder) for name in MOSAICS}


def test_a_survey_compared_with_itself_has_almost_no_candidates(plain):
    rows = pd.concat([table for _, table in plain.values()])
    print(rows.groupby(["type", "flag"]).size().to_string())
    assert rows["is_candidate"].sum() <= 1
    assert (rows["type"] == "match").sum() > 700


def test_measuring_the_survey_image_instead_of_its_limit_makes_no_candidates(plain, real_data, tmp_path):
    mosaics = str(real_data / "sumss_mosaics")
    rows = pd.concat(
        process(real_data / f"sumss_mosaics/{name}.FITS.gz", real_data, tmp_path, "--sumss-mosaic-dir", mosaics)[1]
        for name in MOSAICS
    )
    assert rows["is_candidate"].sum() <= 1
    assert (rows.loc[rows["type"] == "nocatalogmatch", "ref_origin"] == "forced").mean() > 0.9


def injected(name, plain, real_data, folder, n=100):
    """Put n new sources of at least 36 mJy into a mosaic and take n catalogued ones out."""
    path = real_data / f"sumss_mosaics/{name}.FITS.gz"
    image, rng = read_image(path, frequency=843.0), np.random.default_rng(42)
    ra, dec = random_positions(image, n, rng)
    beam = {"major": image.beam.major, "minor": image.beam.minor, "pa": 0.0}
    new = pd.DataFrame({"ra": ra, "dec": dec, "flux_peak": np.exp(rng.uniform(np.log(36), np.log(300), n)), **beam})
    found = tables.read_csv(plain[name][0] / f"{name}_comp.csv", schema.SOURCES)
    listed = tables.read_csv(plain[name][0] / f"{name}_sumss_comp.csv", schema.REFERENCES)
    index, separation = sky.nearest(listed["ra"], listed["dec"], found["ra"], found["dec"])
    single = found["island_components"].to_numpy(int)[index] == 1
    chosen = rng.choice(np.flatnonzero((separation < 10) & (listed["flux_int"] >= 36) & single), n, replace=False)
    gone = found.iloc[index[chosen]][["ra", "dec", "flux_peak", "major", "minor", "pa"]]
    gone = gone.assign(flux_peak=-gone["flux_peak"])
    target = folder / f"{name}.fits"
    with quiet_fits():
        write_like(path, with_gaussians(image, pd.concat([new, gone], ignore_index=True)), target)
    return target, new, listed.iloc[chosen]


def test_the_vetoes_do_not_hide_what_is_real(plain, real_data, tmp_path):
    recalled = {"new": [], "removed": []}
    for name in MOSAICS:
        image, new, removed = injected(name, plain, real_data, tmp_path)
        rows = process(image, real_data, tmp_path)[1]
        chosen = rows[rows["is_candidate"]]
        for kind, positions in (("new", new), ("removed", removed)):
            _, separation = sky.nearest(positions["ra"], positions["dec"], chosen["ra"], chosen["dec"])
            recalled[kind].append(np.mean(separation < 30))
    recall = {kind: float(np.mean(values)) for kind, values in recalled.items()}
    print(f"recall after vetoes of sources ≥ 36 mJy: {recall}")
    assert np.mean(list(recall.values())) >= 0.9


@pytest.mark.parametrize("category", [NO_CATALOGUE_MATCH, NO_ASKAP_MATCH])
def test_the_vetoes_cost_at_most_a_tenth_of_the_area(category, plain, real_data):
    lost = []
    for name in MOSAICS:
        image = read_image(real_data / f"sumss_mosaics/{name}.FITS.gz", frequency=843.0)
        ra, dec = random_positions(image, 4000, np.random.default_rng(1))
        lost.append(is_vetoed(_bits_of_a_source(category, image, plain[name][0], name, ra, dec)).mean())
    print(f"area lost to vetoes for a {category} of 36 mJy: {lost}")
    assert np.mean(lost) <= 0.10


def _bits_of_a_source(category, image, results, name, ra, dec):
    """Return the flags that position alone gives to a source of 36 mJy that one side lacks."""
    settings = FlagSettings()
    listed = tables.read_csv(results / f"{name}_sumss_comp.csv", schema.REFERENCES)
    bright = listed[listed["flux_int"] >= 436].assign(flux=listed["flux_int"])
    rms = np.load(next(results.rglob("rms.npy")))
    x, y = (np.rint(v).astype(int) for v in image.sky_to_pixel(ra, dec))
    frame = pd.DataFrame(
        {"type": category, "ra": ra, "dec": dec, "ratio": 2.0, "ratio_peak": 2.0, "vs_abs": 9.0, "ref_origin": "limit",
         "askap_scaled_flux": 36.0, "askap_rms": rms[y, x] * 1e3, "predicted_snr": 36.0 / (rms[y, x] * 1e3)}
    )  # fmt: skip
    rows = candidates.with_surroundings(
        tables.conform(frame, schema.CROSSMATCHES),
        centre=image.centre,
        image_rms=float(np.nanmedian(rms)) * 1e3,
        on_edge=near_blank(image, ra, dec, settings.edge_margin),
        bright=bright,
        near_radius=settings.bright_source_radius,
        far_radius=settings.bright_far_radius,
    )
    return candidates.with_verdict(rows, settings, outlier_threshold=3.0)["flag_bits"].to_numpy()
