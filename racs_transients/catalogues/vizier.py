"""Catalogues from VizieR, with retries and a cache of our own."""

from __future__ import annotations

import hashlib
import logging
import time
from pathlib import Path
from typing import Any

import pandas as pd
import requests
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io.votable import exceptions as votable_errors
from astropy.io.votable import from_table, parse
from astropy.io.votable.tree import VOTableFile
from astropy.table import Table
from astroquery.exceptions import TableParseError
from astroquery.vizier import VizierClass

from racs_transients.cache import keep
from racs_transients.catalogues.canonical import to_reference_table
from racs_transients.catalogues.guard import check_coverage, query_radius
from racs_transients.errors import CatalogueError
from racs_transients.image import quiet_fits
from racs_transients.surveys import Survey, option_words

logger = logging.getLogger(__name__)

RETRIES = 3
PAUSE_S = 5.0
TIMEOUT_S = 120
_FAILURES = (
    requests.RequestException,
    TableParseError,
    OSError,
    ValueError,
    IndexError,
    votable_errors.VOTableSpecError,
)


class _Vizier(VizierClass):  # type: ignore[misc]
    """VizieR at another address than astroquery's fixed list."""

    url: str | None = None

    def _server_to_url(self, return_type: str = "votable") -> str:
        return self.url or str(super()._server_to_url(return_type=return_type))


def fetch_reference(
    survey: Survey,
    ra: float,
    dec: float,
    radius: float,
    *,
    cache_dir: Path,
    url: str | None = None,
    retries: int = RETRIES,
    pause: float = PAUSE_S,
) -> pd.DataFrame:
    """Return a survey's catalogue around a position, from the cache or from VizieR.

    Parameters
    ----------
    survey : Survey
        The survey.
    ra, dec : float
        Centre, degrees.
    radius : float
        What the image needs, degrees; enlarged where too few sources are to be expected.
    cache_dir : pathlib.Path
        Where answers that passed the coverage guard are kept.
    url : str, optional
        Address of VizieR's ``votable`` service; the official one by default.
    retries : int
        How often to ask.
    pause : float
        Seconds before the second try, doubled each time.

    Returns
    -------
    pandas.DataFrame
        ``schema.REFERENCES``.

    Raises
    ------
    CatalogueError
        If VizieR cannot be reached, or answers with nothing, too little or nonsense.
    """
    # rounded outwards, so that the same field asks the same question
    radius = query_radius(survey, ra, dec, float(f"{radius + 0.005:.2f}"))
    key = hashlib.sha256(repr((survey.vizier_tables, f"{ra:.5f}", f"{dec:.5f}", f"{radius:.3f}")).encode()).hexdigest()
    path = cache_dir / f"{survey.name.lower()}-{key[:16]}.vot"
    cached = _read_cache(path)
    if cached is not None:
        return _references(cached, survey, f"{survey.name} (cached)")
    problem = ""
    for attempt in range(retries):
        if attempt:
            logger.warning("VizieR: %s; asking again in %.0f s", problem, pause * 2 ** (attempt - 1))
            time.sleep(pause * 2 ** (attempt - 1))
        try:
            raw = _query(survey, ra, dec, radius, url)
            table = _references(raw, survey, "VizieR's answer")
            check_coverage(table, survey, ra, dec, radius, origin="VizieR's answer", complete=True)
        except CatalogueError as error:
            problem = str(error)
        except _FAILURES as error:
            problem = (
                f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else ''}"
            )
        else:
            _write_cache(raw, path)
            return table
    raise CatalogueError(
        f"{survey.name} could not be fetched from VizieR after {retries} tries ({problem.rstrip('.')}). "
        f"Try again later, or give the catalogue with {option_words(survey, 'csv')}."
    )


def _query(survey: Survey, ra: float, dec: float, radius: float, url: str | None) -> dict[str, Table]:
    """Return VizieR's tables by their names; one without rows is absent."""
    vizier: Any = _Vizier(columns=["_r", "_RAJ2000", "_DEJ2000", "**"], row_limit=-1, timeout=TIMEOUT_S)
    vizier.url = url
    with quiet_fits():
        found = vizier.query_region(
            SkyCoord(ra * u.deg, dec * u.deg), radius=radius * u.deg, catalog=list(survey.vizier_tables), cache=False
        )
    if found is None:  # what astroquery makes of an answer that it cannot parse
        raise CatalogueError("the answer is malformed")
    tables = {name: found[name] for name in survey.vizier_tables if name in found.keys()}  # noqa: SIM118
    if not tables:
        raise CatalogueError("the answer is empty")
    return tables


def _references(tables: dict[str, Table], survey: Survey, origin: str) -> pd.DataFrame:
    known = [(catalogue, tables[catalogue.table]) for catalogue in survey.catalogues if catalogue.table in tables]
    return to_reference_table(known, survey, origin)


def _read_cache(path: Path) -> dict[str, Table] | None:
    if not path.exists():
        return None
    try:
        with quiet_fits():
            votable = parse(path)
            return {str(table.name): table.to_table(use_names_over_ids=True) for table in votable.iter_tables()}
    except (OSError, ValueError, KeyError, IndexError, votable_errors.VOTableSpecError) as error:
        logger.warning("the cached catalogue %s is damaged (%s) and is fetched anew", path, type(error).__name__)
        return None


def _write_cache(tables: dict[str, Table], path: Path) -> None:
    """Keep an answer; a cache that cannot be written costs only time."""
    votable = VOTableFile()
    with quiet_fits():
        for name, table in tables.items():
            resource = from_table(table).resources[0]
            resource.tables[0].name = name
            votable.resources.append(resource)
    try:
        with quiet_fits():
            keep(path, lambda target: votable.to_xml(str(target)))
    except OSError as error:
        logger.warning("the catalogue could not be cached in %s: %s", path.parent, error.strerror)
