"""The stages of the pipeline: each turns options, files and tables into the next table."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from racs_transients import candidates, sky
from racs_transients.beam import Beam
from racs_transients.calibration import Calibration, calibrate
from racs_transients.catalogues import (
    bright_sources,
    fetch_reference,
    query_radius,
    read_reference_file,
    trim_to_image,
)
from racs_transients.comparison import (
    FluxScaling,
    flux_scaling,
    match_rows,
    no_askap_rows,
    no_catalogue_rows,
    survey_limits,
)
from racs_transients.config import Config
from racs_transients.crossmatch import Association, associate, compact
from racs_transients.errors import ConfigError
from racs_transients.finders import FINDERS, good_fits, read_source_list
from racs_transients.image import Image, image_radius, near_blank, read_image
from racs_transients.logs import Stages
from racs_transients.mosaics import index_mosaics, measure_on_mosaics
from racs_transients.noise import NoiseMaps, measure_noise
from racs_transients.photometry import convolved_forced_photometry
from racs_transients.runfolder import RunFolder
from racs_transients.schema import CROSSMATCHES
from racs_transients.surveys import NVSS, SUMSS, Survey
from racs_transients.tables import stack

logger = logging.getLogger(__name__)

# Declinations of the image centre between which both surveys could be used (documented limits).
BOTH_SURVEYS = (-43.0, -27.0)
# An ASKAP source this near tells which island an unmatched catalogue source lies in, arcsec
ISLAND_REACH = 60.0


def load_image(path: Path, config: Config, stages: Stages) -> Image:
    """Read the image with what the options add to its header."""
    with stages("image") as done:
        options = config.analysis
        major, minor = options.beam_major, options.beam_minor or options.beam_major
        beam = Beam(major, minor, options.beam_pa) if major and minor else None
        frequency = options.frequency / 1e6 if options.frequency else None
        image = read_image(
            path, frequency=frequency, beam=beam, blank="zero" if options.boundary_value == "zero" else "nan"
        )
        ny, nx = image.data.shape
        done(f"{nx} × {ny} pixels, {image.frequency:.1f} MHz, beam {image.beam.major:.1f}″ × {image.beam.minor:.1f}″")
    return image


def choose_survey(centre_dec: float, config: Config) -> Survey:
    """Return the survey for a declination of the image centre, or say which option decides.

    Raises
    ------
    ConfigError
        Where both surveys could be used and no option chooses, or the chosen one does not reach.
    """
    south, north = BOTH_SURVEYS
    chosen = SUMSS if config.analysis.sumss_only else NVSS if config.analysis.nvss_only else None
    if chosen is None and south < centre_dec < north:
        raise ConfigError(
            f"The image's centre at declination {centre_dec:.2f}° lies between {south:.0f}° and {north:.0f}°, "
            "where both surveys exist; the comparison with both is not built yet: give --sumss-only or --nvss-only."
        )
    if (chosen is SUMSS and centre_dec >= north) or (chosen is NVSS and centre_dec <= south):
        raise ConfigError(
            f"{chosen.name} does not cover an image centred at declination {centre_dec:.2f}°; "
            f"leave --{chosen.name.lower()}-only out."
        )
    return chosen or (SUMSS if centre_dec <= south else NVSS)


def noise_maps(image: Image, image_digest: str, folder: RunFolder, stages: Stages) -> NoiseMaps:
    """Measure background and noise over the image, or take them from the cache."""

    def produce(target: Path) -> None:
        maps = measure_noise(image)
        np.save(target / "background.npy", maps.background)
        np.save(target / "rms.npy", maps.rms)

    with stages("noise maps") as done:
        cache, reused = folder.cached("noise", [image_digest, str(image.beam)], produce)
        maps = NoiseMaps(
            background=np.load(cache / "background.npy", mmap_mode="r"), rms=np.load(cache / "rms.npy", mmap_mode="r")
        )
        done(f"median rms {median_rms(maps):.3f} mJy/beam" + _reused(reused))
    return maps


def median_rms(noise: NoiseMaps) -> float:
    """Return the median noise of an image from every tenth pixel, mJy/beam."""
    return float(np.nanmedian(noise.rms[::10, ::10])) * 1e3


def _reused(reused: bool) -> str:
    return ", from an earlier run" if reused else ""


def source_list(
    image: Image, noise: NoiseMaps, image_digest: str, config: Config, folder: RunFolder, stages: Stages
) -> pd.DataFrame:
    """Find the sources of the image, or read the list that was given."""
    options = config.catalogues
    flux_error = config.analysis.askap_flux_error
    with stages("ASKAP sources") as done:
        if options.askap_csv is not None:
            folder.record_input("askap_csv", options.askap_csv)
            found = read_source_list(
                options.askap_csv, image, noise, kind=options.askap_csv_format, flux_error=flux_error
            )
            how = f"from {options.askap_csv.name}"
        else:
            finder = FINDERS[config.analysis.sourcefinder]
            settings = finder.settings(config.analysis.aegean_settings_config)
            cache, reused = folder.cached(
                "sources",
                [image_digest, finder.name, dict(settings), str(image.beam)],
                lambda target: finder.find(image, noise, settings, target),
            )
            found = finder.read(cache, image, noise, flux_error=flux_error)
            how = f"found by {finder.name}{_reused(reused)}"
        kept = found if config.crossmatching.use_all_fits else good_fits(found)
        done(f"{len(kept)} {how}, {len(found) - len(kept)} left out for the finder's flags")
    return kept


def reference_catalogue(
    image: Image, survey: Survey, config: Config, folder: RunFolder, stages: Stages
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fetch or read the survey's catalogue; return it trimmed to the image, and its bright sources around."""
    ra, dec = image.centre
    # artefacts reach into the image from bright sources outside it
    reach = max(config.flags.bright_source_radius, config.flags.bright_far_radius)
    radius = image_radius(image) + reach / 60
    given = {"SUMSS": config.catalogues.sumss_csv, "NVSS": config.catalogues.nvss_csv}[survey.name]
    with stages(f"{survey.name} catalogue") as done:
        if given is not None:
            folder.record_input(f"{survey.name.lower()}_csv", given)
            catalogue = read_reference_file(given, survey, region=(ra, dec, query_radius(survey, ra, dec, radius)))
        else:
            catalogue = fetch_reference(
                survey, ra, dec, radius, cache_dir=config.catalogues.cache_dir, url=config.catalogues.vizier_url
            )
        trimmed = trim_to_image(catalogue, image)
        done(f"{len(catalogue)} sources, {len(trimmed)} on the image")
    return trimmed, bright_sources(catalogue, survey)


def scaling(image: Image, survey: Survey, config: Config, calibration: Calibration | None) -> FluxScaling:
    """Return how ASKAP fluxes of this image become fluxes of the survey."""
    return flux_scaling(
        image.frequency,
        survey,
        spectral_index=config.analysis.spectral_index,
        spectral_index_err=config.analysis.spectral_index_err,
        calibration=calibration if config.analysis.correct_flux_scale else None,
    )


def _all_pairs(sources: pd.DataFrame, references: pd.DataFrame, survey: Survey, to_survey: FluxScaling) -> pd.DataFrame:
    """Return each catalogue source with its nearest ASKAP source at any distance."""
    rows = match_rows(associate(references, sources, np.inf), sources, references, survey, to_survey)
    ln_ratio = np.log(rows["askap_scaled_flux"]) - np.log(rows["ref_flux_int"])
    return rows.assign(ln_ratio=ln_ratio, ratio=np.exp(np.abs(ln_ratio)))


def diagnostic_crossmatch(
    sources: pd.DataFrame,
    references: pd.DataFrame,
    image: Image,
    survey: Survey,
    config: Config,
    folder: RunFolder,
    stages: Stages,
) -> tuple[pd.DataFrame, Calibration]:
    """Pair the lists for the diagnostics, and measure flux scale and astrometry from the good pairs."""
    options = config.crossmatching
    with stages("diagnostic crossmatch") as done:
        if options.remove_extended:
            thresholds = {"SUMSS": options.sumss_ext_thresh, "NVSS": options.nvss_ext_thresh}
            sources = sources[compact(sources, options.askap_ext_thresh)].reset_index(drop=True)
            references = references[compact(references, thresholds[survey.name])].reset_index(drop=True)
        rows = _all_pairs(sources, references, survey, scaling(image, survey, config, None))
        near = (rows["separation"] <= options.diagnostic_max_separation).to_numpy()
        calibration = calibrate(
            rows["ln_ratio"], rows["ra_offset"], rows["dec_offset"], near & _isolated_and_bright(rows)
        )
        folder.manifest["calibration"] = calibration.to_dict()
        done(
            f"{near.sum()} pairs within {options.diagnostic_max_separation:g}″; ASKAP/{survey.name} flux "
            f"{calibration.flux_scale:.3f}, offset {calibration.ra_offset:+.2f}″ {calibration.dec_offset:+.2f}″ "
            f"from {calibration.pairs} good ones"
        )
    return rows, calibration


def _isolated_and_bright(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which pairs measure the flux scale: alone in two beams, compact, ten times the noise."""
    alone = ~(rows["askap_nn_separation"] < 90) & ~(rows["ref_nn_separation"] < 2 * rows["ref_beam_major"])
    small = ~(rows["askap_major"] > 1.5 * rows["askap_beam_major"]) & ~(
        rows["ref_major"] > 1.2 * rows["ref_beam_major"]
    )
    bright = (rows["ref_flux_int"] > 10 * rows["ref_rms"]) & (rows["askap_snr"] > 10)
    return (alone & small & bright).to_numpy(bool)


def transient_crossmatch(
    sources: pd.DataFrame,
    references: pd.DataFrame,
    survey: Survey,
    to_survey: FluxScaling,
    config: Config,
    stages: Stages,
) -> tuple[Association, pd.DataFrame]:
    """Match the full lists."""
    with stages("transient crossmatch") as done:
        association = associate(references, sources, config.crossmatching.transient_max_separation)
        done(
            f"{len(references)} {survey.name}, {len(sources)} ASKAP, {association.matched.sum()} matched, "
            f"{(~association.matched).sum()} {survey.name} only, {len(association.unmatched_sources)} ASKAP only"
        )
    return association, _all_pairs(sources, references, survey, to_survey)


def compare_matches(
    association: Association, sources: pd.DataFrame, references: pd.DataFrame, survey: Survey, to_survey: FluxScaling
) -> pd.DataFrame:
    """Compare the fluxes of the matches."""
    return match_rows(association, sources, references, survey, to_survey)


def compare_vanished(
    image: Image,
    noise: NoiseMaps,
    association: Association,
    sources: pd.DataFrame,
    references: pd.DataFrame,
    survey: Survey,
    to_survey: FluxScaling,
    calibration: Calibration,
    stages: Stages,
) -> pd.DataFrame:
    """Measure the image at the survey's resolution where the catalogue has a source and ASKAP none."""
    with stages("forced photometry, ASKAP") as done:
        missing = references[~association.matched].reset_index(drop=True)
        dec = missing["dec"] + calibration.dec_offset / 3600
        ra = missing["ra"] + calibration.ra_offset / 3600 / np.cos(np.deg2rad(missing["dec"]))
        forced = convolved_forced_photometry(
            image, noise, ra, dec, survey.beam_axes(missing["dec"]), neighbours=sources[["ra", "dec"]]
        )
        rows = no_askap_rows(missing, forced, _islands_near(missing, sources), survey, to_survey)
        done(f"{len(rows)} positions, {rows['failure'].notna().sum()} failed")
    return rows


def _islands_near(positions: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Return the island of the nearest ASKAP source, missing where that is too far to matter."""
    index, separation = sky.nearest(positions["ra"], positions["dec"], sources["ra"], sources["dec"])
    columns = ["island_id", "island_components"]
    near = sources[columns].reindex(np.where(separation <= ISLAND_REACH, index, -1)).reset_index(drop=True)
    return near.assign(nn_separation=separation)


def compare_new(
    association: Association,
    sources: pd.DataFrame,
    references: pd.DataFrame,
    survey: Survey,
    to_survey: FluxScaling,
    config: Config,
    folder: RunFolder,
    stages: Stages,
) -> pd.DataFrame:
    """Measure the survey where ASKAP has a source that it should have seen; count those too faint."""
    with stages(f"{survey.name} at ASKAP-only sources") as done:
        lacking = sources.iloc[association.unmatched_sources]
        covered = lacking[survey.contains(lacking["dec"])].reset_index(drop=True)
        expected, _ = to_survey.apply(covered["flux_int"], covered["flux_int_err"])
        threshold = config.transients.transients_askap_snr_thresh
        # half the threshold: the noise of a mosaic may lie below the typical one
        worth = expected >= threshold / 2 * survey.rms.at(covered["dec"])
        covered = covered[worth].reset_index(drop=True)
        measured = _survey_at(covered, references, survey, config)
        rows = no_catalogue_rows(covered, measured, survey, to_survey)
        seen = ~(rows["predicted_snr"] < threshold)
        folder.manifest["counts"]["askap_only_too_faint"] = len(worth) - int(seen.sum())
        folder.manifest["counts"]["askap_only_outside_survey"] = len(lacking) - len(worth)
        done(f"{seen.sum()} expected above {threshold:g} σ, {len(worth) - seen.sum()} too faint")
    return rows[seen].reset_index(drop=True)


def _survey_at(positions: pd.DataFrame, references: pd.DataFrame, survey: Survey, config: Config) -> pd.DataFrame:
    """Return the survey's flux at positions: measured on its mosaics where they are given, else a limit."""
    limits = survey_limits(survey, positions["dec"])
    folder = {"SUMSS": config.postagestamps.sumss_mosaic_dir, "NVSS": config.postagestamps.nvss_mosaic_dir}[survey.name]
    if folder is None or len(positions) == 0:
        return limits
    measured = measure_on_mosaics(
        index_mosaics(folder, survey), survey, positions["ra"], positions["dec"], neighbours=references[["ra", "dec"]]
    ).assign(origin="forced")
    # a position that no mosaic covers is compared with the catalogue's limit
    return measured.where(measured["mosaic"].notna(), limits)


def judge(
    rows: pd.DataFrame,
    image: Image,
    noise: NoiseMaps,
    sources: pd.DataFrame,
    references: pd.DataFrame,
    bright: pd.DataFrame,
    survey: Survey,
    to_survey: FluxScaling,
    config: Config,
    stages: Stages,
) -> pd.DataFrame:
    """Add change, blends, surroundings and flags to the rows, and mark the candidates."""
    with stages("flags and candidates") as done:
        flags = config.flags
        rows = candidates.with_blends(rows, sources, references, survey, to_survey)
        rows = candidates.with_change(rows, to_survey, flags.nondetection_rms)
        rows = candidates.with_surroundings(
            rows,
            centre=image.centre,
            image_rms=median_rms(noise),
            on_edge=near_blank(image, rows["ra"], rows["dec"], flags.edge_margin),
            bright=_bright_list(sources, bright, survey, to_survey),
            near_radius=flags.bright_source_radius,
            far_radius=flags.bright_far_radius,
        )
        rows = candidates.with_verdict(
            rows, flags, outlier_threshold=config.transients.transients_large_flux_ratio_thresh
        )
        rows = rows.sort_values(["ratio", "ra", "dec"], ascending=[False, True, True], na_position="last")
        rows = candidates.with_nearest_matches(rows.reset_index(drop=True), flags.nearest_matches)
        done(f"{len(rows)} rows, {rows['is_candidate'].sum()} candidates")
    return stack([rows], CROSSMATCHES)


def _bright_list(sources: pd.DataFrame, bright: pd.DataFrame, survey: Survey, to_survey: FluxScaling) -> pd.DataFrame:
    """Return the survey's and the image's own bright sources, with fluxes at the survey's frequency."""
    own = sources.assign(flux=sources["flux_int"] * to_survey.factor)
    own = own[own["flux"] >= survey.bright_mjy]
    # a bright source that both sides know counts once
    _, separation = sky.nearest(own["ra"], own["dec"], bright["ra"], bright["dec"])
    own = own[~(separation <= 2 * survey.beam_fwhm)]
    return pd.concat(
        [bright.assign(flux=bright["flux_int"])[["ra", "dec", "flux"]], own[["ra", "dec", "flux"]]], ignore_index=True
    )
