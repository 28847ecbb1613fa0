"""The stages of the pipeline: each turns options, files and tables into the next table."""

from __future__ import annotations

import logging
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a stage may use beside its tables.

    Parameters
    ----------
    config : Config
        The options.
    folder : RunFolder
        The results folder: cache of costly stages, manifest.
    stages : Stages
        Where a stage says what it did.
    """

    config: Config
    folder: RunFolder
    stages: Stages

    @property
    def digest(self) -> str:
        """SHA-256 of the image, the key of everything that is cached."""
        return str(self.folder.manifest["image"]["sha256"])


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The two sides that are compared.

    Parameters
    ----------
    image : Image
        The ASKAP image.
    noise : NoiseMaps
        Its background and noise.
    sources : pandas.DataFrame
        Its sources, ``schema.SOURCES``.
    survey : Survey
        The survey.
    references : pandas.DataFrame
        The survey's sources on the image, ``schema.REFERENCES``.
    bright : pandas.DataFrame
        The survey's bright sources on and around the image.
    """

    image: Image
    noise: NoiseMaps
    sources: pd.DataFrame
    survey: Survey
    references: pd.DataFrame
    bright: pd.DataFrame


def load_image(path: Path, run: Run) -> Image:
    """Read the image, with what the options add to its header.

    Parameters
    ----------
    path : pathlib.Path
        The image.
    run : Run
        Options.

    Returns
    -------
    Image
        The image.
    """
    with run.stages("image") as done:
        options = run.config.analysis
        major, minor = options.beam_major, options.beam_minor or options.beam_major
        image = read_image(
            path,
            frequency=options.frequency / 1e6 if options.frequency else None,
            beam=Beam(major, minor, options.beam_pa) if major and minor else None,
            blank="zero" if options.boundary_value == "zero" else "nan",
        )
        ny, nx = image.data.shape
        done(f"{nx} × {ny} pixels, {image.frequency:.1f} MHz, beam {image.beam.major:.1f}″ × {image.beam.minor:.1f}″")
    return image


def choose_survey(centre_dec: float, config: Config) -> Survey:
    """Return the survey for a declination of the image centre.

    Parameters
    ----------
    centre_dec : float
        Degrees.
    config : Config
        Options.

    Returns
    -------
    Survey
        The one survey to compare with.

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


def noise_maps(image: Image, run: Run) -> NoiseMaps:
    """Measure background and noise over the image, or take them from the cache.

    Parameters
    ----------
    image : Image
        The image.
    run : Run
        Cache.

    Returns
    -------
    NoiseMaps
        Memory-mapped.
    """

    def produce(target: Path) -> None:
        maps = measure_noise(image)
        np.save(target / "background.npy", maps.background)
        np.save(target / "rms.npy", maps.rms)

    with run.stages("noise maps") as done:
        inputs = [run.digest, str(image.beam), run.config.analysis.boundary_value]
        cache, reused = run.folder.cached("noise", inputs, produce)
        background, rms = (np.load(cache / f"{name}.npy", mmap_mode="r") for name in ("background", "rms"))
        maps = NoiseMaps(background=background, rms=rms)
        done(f"median rms {median_rms(maps):.3f} mJy/beam" + _reused(reused))
    return maps


def median_rms(noise: NoiseMaps) -> float:
    """Return the median noise of an image, from every tenth pixel along each axis.

    Parameters
    ----------
    noise : NoiseMaps
        The noise.

    Returns
    -------
    float
        The median in mJy/beam.
    """
    return float(np.nanmedian(noise.rms[::10, ::10])) * 1e3


def _reused(reused: bool) -> str:
    return ", from an earlier run" if reused else ""


def source_list(image: Image, noise: NoiseMaps, run: Run) -> pd.DataFrame:
    """Find the sources of the image, or read the list that was given.

    Parameters
    ----------
    image : Image
        The image.
    noise : NoiseMaps
        Its noise.
    run : Run
        Options and cache.

    Returns
    -------
    pandas.DataFrame
        ``schema.SOURCES``.
    """
    options, flux_error = run.config.catalogues, run.config.analysis.askap_flux_error
    with run.stages("ASKAP sources") as done:
        if options.askap_csv is not None:
            run.folder.record_input("askap_csv", options.askap_csv)
            found = read_source_list(
                options.askap_csv, image, noise, kind=options.askap_csv_format, flux_error=flux_error
            )
            how = f"from {options.askap_csv.name}"
        else:
            finder = FINDERS[run.config.analysis.sourcefinder]
            settings = finder.settings(run.config.analysis.aegean_settings_config)
            inputs = [run.digest, finder.name, dict(settings), str(image.beam), run.config.analysis.boundary_value]
            cache, reused = run.folder.cached(
                "sources", inputs, lambda target: finder.find(image, noise, settings, target)
            )
            found = finder.read(cache, image, noise, flux_error=flux_error)
            how = f"found by {finder.name}{_reused(reused)}"
        kept = found if run.config.crossmatching.use_all_fits else good_fits(found)
        done(f"{len(kept)} {how}, {len(found) - len(kept)} left out for the finder's flags")
    return kept


def reference_catalogue(image: Image, survey: Survey, run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fetch or read the survey's catalogue.

    Parameters
    ----------
    image : Image
        The image.
    survey : Survey
        The survey.
    run : Run
        Options.

    Returns
    -------
    references, bright : pandas.DataFrame
        ``schema.REFERENCES``: the sources on the image, and the bright ones on it and around.
    """
    ra, dec = image.centre
    flags, catalogues = run.config.flags, run.config.catalogues
    # artefacts reach into the image from bright sources outside it
    radius = image_radius(image) + max(flags.bright_source_radius, flags.bright_far_radius) / 60
    given = {"SUMSS": catalogues.sumss_csv, "NVSS": catalogues.nvss_csv}[survey.name]
    with run.stages(f"{survey.name} catalogue") as done:
        if given is not None:
            run.folder.record_input(f"{survey.name.lower()}_csv", given)
            catalogue = read_reference_file(given, survey, region=(ra, dec, query_radius(survey, ra, dec, radius)))
        else:
            catalogue = fetch_reference(
                survey, ra, dec, radius, cache_dir=catalogues.cache_dir, url=catalogues.vizier_url
            )
        trimmed = trim_to_image(catalogue, image)
        done(f"{len(catalogue)} sources, {len(trimmed)} on the image")
    return trimmed, bright_sources(catalogue, survey)


def scaling_of(field: Field, run: Run, calibration: Calibration | None) -> FluxScaling:
    """Return how ASKAP fluxes of the image become fluxes of the survey.

    Parameters
    ----------
    field : Field
        Image and survey.
    run : Run
        Options.
    calibration : Calibration, optional
        Flux scale to divide out, where the options want that.

    Returns
    -------
    FluxScaling
        Factor and error.
    """
    options = run.config.analysis
    return flux_scaling(
        field.image.frequency,
        field.survey,
        spectral_index=options.spectral_index,
        spectral_index_err=options.spectral_index_err,
        calibration=calibration if options.correct_flux_scale else None,
    )


def _all_pairs(sources: pd.DataFrame, references: pd.DataFrame, survey: Survey, scaling: FluxScaling) -> pd.DataFrame:
    """Return each catalogue source with its nearest ASKAP source at any distance."""
    rows = match_rows(associate(references, sources, np.inf), sources, references, survey, scaling)
    ln_ratio = np.log(rows["askap_scaled_flux"]) - np.log(rows["ref_flux_int"])
    return rows.assign(ln_ratio=ln_ratio, ratio=np.exp(np.abs(ln_ratio)))


def diagnostic_crossmatch(field: Field, run: Run) -> tuple[pd.DataFrame, Calibration]:
    """Pair the lists for the diagnostics, and measure flux scale and astrometry from the good pairs.

    Parameters
    ----------
    field : Field
        Both lists.
    run : Run
        Options.

    Returns
    -------
    pairs : pandas.DataFrame
        Each catalogue source with its nearest ASKAP source; extended ones left out where the options
        want that.
    calibration : Calibration
        What the pairs say of flux scale and astrometry.
    """
    options, survey = run.config.crossmatching, field.survey
    sources, references = field.sources, field.references
    with run.stages("diagnostic crossmatch") as done:
        if options.remove_extended:
            thresholds = {"SUMSS": options.sumss_ext_thresh, "NVSS": options.nvss_ext_thresh}
            sources = sources[compact(sources, options.askap_ext_thresh)].reset_index(drop=True)
            references = references[compact(references, thresholds[survey.name])].reset_index(drop=True)
        pairs = _all_pairs(sources, references, survey, scaling_of(field, run, None))
        near = (pairs["separation"] <= options.diagnostic_max_separation).to_numpy()
        good = near & _isolated_and_bright(pairs)
        calibration = calibrate(pairs["ln_ratio"], pairs["ra_offset"], pairs["dec_offset"], good)
        run.folder.manifest["calibration"] = calibration.to_dict()
        done(
            f"{near.sum()} pairs within {options.diagnostic_max_separation:g}″; ASKAP/{survey.name} flux "
            f"{calibration.flux_scale:.3f}, offset {calibration.ra_offset:+.2f}″ {calibration.dec_offset:+.2f}″ "
            f"from {calibration.pairs} good ones"
        )
    return pairs, calibration


def _isolated_and_bright(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which pairs measure the flux scale: alone in two beams, compact, ten times the noise."""
    alone = ~(rows["askap_nn_separation"] < 90) & ~(rows["ref_nn_separation"] < 2 * rows["ref_beam_major"])
    large = (rows["askap_major"] > 1.5 * rows["askap_beam_major"]) | (rows["ref_major"] > 1.2 * rows["ref_beam_major"])
    bright = (rows["ref_flux_int"] > 10 * rows["ref_rms"]) & (rows["askap_snr"] > 10)
    return (alone & ~large & bright).to_numpy(bool)


def transient_crossmatch(field: Field, scaling: FluxScaling, run: Run) -> tuple[Association, pd.DataFrame]:
    """Match the full lists.

    Parameters
    ----------
    field : Field
        Both lists.
    scaling : FluxScaling
        ASKAP to survey frequency.
    run : Run
        Options.

    Returns
    -------
    association : Association
        Who is matched with whom.
    pairs : pandas.DataFrame
        Each catalogue source with its nearest ASKAP source.
    """
    sources, references, name = field.sources, field.references, field.survey.name
    with run.stages("transient crossmatch") as done:
        association = associate(references, sources, run.config.crossmatching.transient_max_separation)
        done(
            f"{len(references)} {name}, {len(sources)} ASKAP, {association.matched.sum()} matched, "
            f"{(~association.matched).sum()} {name} only, {len(association.unmatched_sources)} ASKAP only"
        )
    return association, _all_pairs(sources, references, field.survey, scaling)


def compare_vanished(
    field: Field, association: Association, scaling: FluxScaling, calibration: Calibration, run: Run
) -> pd.DataFrame:
    """Measure the image at the survey's resolution where the catalogue has a source and ASKAP none.

    Parameters
    ----------
    field : Field
        Both sides.
    association : Association
        Who is matched.
    scaling : FluxScaling
        ASKAP to survey frequency.
    calibration : Calibration
        Astrometric offset of the image.
    run : Run
        Log.

    Returns
    -------
    pandas.DataFrame
        Rows of the category noaskapmatch.
    """
    survey = field.survey
    with run.stages("forced photometry, ASKAP") as done:
        missing = field.references[~association.matched].reset_index(drop=True)
        dec = missing["dec"] + calibration.dec_offset / 3600
        ra = missing["ra"] + calibration.ra_offset / 3600 / np.cos(np.deg2rad(missing["dec"]))
        axes, flux_error = survey.beam_axes(missing["dec"]), run.config.analysis.askap_flux_error
        neighbours = field.sources[["ra", "dec"]]
        alone = convolved_forced_photometry(field.image, field.noise, ra, dec, axes)
        forced = convolved_forced_photometry(
            field.image, field.noise, ra, dec, axes, neighbours=neighbours, flux_error=flux_error
        ).assign(map_value=alone["flux"])
        rows = no_askap_rows(missing, forced, _islands_near(missing, field.sources), survey, scaling)
        done(f"{len(rows)} positions, {rows['failure'].notna().sum()} failed")
    return rows


def _islands_near(positions: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Return the island of the nearest ASKAP source, missing where that is too far to matter."""
    index, separation = sky.nearest(positions["ra"], positions["dec"], sources["ra"], sources["dec"])
    columns = ["island_id", "island_components"]
    near = sources[columns].reindex(np.where(separation <= ISLAND_REACH, index, -1)).reset_index(drop=True)
    return near.assign(nn_separation=separation)


def compare_matches(field: Field, association: Association, scaling: FluxScaling) -> pd.DataFrame:
    """Compare the fluxes of the matches.

    Parameters
    ----------
    field : Field
        Both lists.
    association : Association
        Who is matched.
    scaling : FluxScaling
        ASKAP to survey frequency.

    Returns
    -------
    pandas.DataFrame
        Rows of the category match.
    """
    return match_rows(association, field.sources, field.references, field.survey, scaling)


def compare_new(field: Field, association: Association, scaling: FluxScaling, run: Run) -> pd.DataFrame:
    """Measure the survey where ASKAP has a source that it should have seen; count those too faint.

    Parameters
    ----------
    field : Field
        Both sides.
    association : Association
        Who is matched.
    scaling : FluxScaling
        ASKAP to survey frequency.
    run : Run
        Options.

    Returns
    -------
    pandas.DataFrame
        Rows of the category nocatalogmatch.
    """
    survey, counts = field.survey, run.folder.manifest["counts"]
    threshold = run.config.transients.transients_askap_snr_thresh
    with run.stages(f"{survey.name} at ASKAP-only sources") as done:
        lacking = field.sources.iloc[association.unmatched_sources]
        covered = lacking[survey.contains(lacking["dec"])].reset_index(drop=True)
        expected, _ = scaling.apply(covered["flux_int"], covered["flux_int_err"])
        # half the threshold: the noise of a mosaic may lie below the typical one
        worth = covered[expected >= threshold / 2 * survey.rms.at(covered["dec"])].reset_index(drop=True)
        rows = no_catalogue_rows(worth, _survey_at(worth, field, run), survey, scaling)
        seen = ~(rows["predicted_snr"] < threshold)
        counts["askap_only_too_faint"] = len(covered) - int(seen.sum())
        counts["askap_only_outside_survey"] = len(lacking) - len(covered)
        done(f"{seen.sum()} expected above {threshold:g} σ, {len(covered) - seen.sum()} too faint")
    return rows[seen].reset_index(drop=True)


def _survey_at(positions: pd.DataFrame, field: Field, run: Run) -> pd.DataFrame:
    """Return the survey's flux at positions: measured on its mosaics where they are given, else a limit."""
    survey, options = field.survey, run.config.postagestamps
    limits = survey_limits(survey, positions["dec"])
    mosaics = {"SUMSS": options.sumss_mosaic_dir, "NVSS": options.nvss_mosaic_dir}[survey.name]
    if mosaics is None or len(positions) == 0:
        return limits
    index = index_mosaics(mosaics, survey)
    measured = measure_on_mosaics(
        index, survey, positions["ra"], positions["dec"], neighbours=field.references[["ra", "dec"]]
    ).assign(origin="forced")
    # a position that no mosaic covers is compared with the catalogue's limit
    return measured.where(measured["mosaic"].notna(), limits)[list(limits)]


def judge(rows: pd.DataFrame, field: Field, scaling: FluxScaling, run: Run) -> pd.DataFrame:
    """Add change, blends, surroundings and flags to the rows, and mark the candidates.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of all categories with both sides' fluxes.
    field : Field
        Both sides.
    scaling : FluxScaling
        ASKAP to survey frequency.
    run : Run
        Options.

    Returns
    -------
    pandas.DataFrame
        ``schema.CROSSMATCHES``, complete, largest ratio first.
    """
    flags, image = run.config.flags, field.image
    with run.stages("flags and candidates") as done:
        rows = candidates.with_blends(rows, field.sources, field.references, field.survey, scaling)
        rows = candidates.with_change(rows, scaling, flags.nondetection_rms)
        rows = candidates.with_surroundings(
            rows,
            centre=image.centre,
            image_rms=median_rms(field.noise),
            on_edge=near_blank(image, rows["ra"], rows["dec"], flags.edge_margin),
            bright=_bright_list(field, scaling),
            near_radius=flags.bright_source_radius,
            far_radius=flags.bright_far_radius,
        )
        rows = candidates.with_verdict(
            rows, flags, outlier_threshold=run.config.transients.transients_large_flux_ratio_thresh
        )
        rows = rows.sort_values(["ratio", "ra", "dec"], ascending=[False, True, True], na_position="last")
        rows = candidates.with_nearest_matches(rows.reset_index(drop=True), flags.nearest_matches)
        run.folder.manifest["counts"] |= _counts(rows)
        done(f"{len(rows)} rows, {rows['is_candidate'].sum()} candidates")
    return stack([rows], CROSSMATCHES)


def _counts(rows: pd.DataFrame) -> dict[str, object]:
    return {
        "rows": {str(k): int(v) for k, v in rows["type"].value_counts().items()},
        "flags": {str(k): int(v) for k, v in rows["flag"].value_counts().items()},
        "candidates": int(rows["is_candidate"].sum()),
    }


def _bright_list(field: Field, scaling: FluxScaling) -> pd.DataFrame:
    """Return the survey's and the image's own bright sources, with fluxes at the survey's frequency."""
    survey, bright = field.survey, field.bright
    own = field.sources.assign(flux=field.sources["flux_int"] * scaling.factor)
    own = own[own["flux"] >= survey.bright_mjy]
    # a bright source that both sides know counts once
    _, separation = sky.nearest(own["ra"], own["dec"], bright["ra"], bright["dec"])
    own = own[~(separation <= 2 * survey.beam_fwhm)]
    columns = ["ra", "dec", "flux"]
    return pd.concat([bright.assign(flux=bright["flux_int"])[columns], own[columns]], ignore_index=True)
