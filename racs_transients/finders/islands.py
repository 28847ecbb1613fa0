"""Island lists: how many components each island has."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from racs_transients.errors import SourceFinderError
from racs_transients.finders.readers import read_table

logger = logging.getLogger(__name__)

# Columns of the island's name and of its number of components: Selavy, Aegean
_COLUMNS = (("island_id", "n_components"), ("island", "components"))


def read_islands(path: Path) -> pd.Series:
    """Read an island list.

    Parameters
    ----------
    path : pathlib.Path
        Selavy islands (text, CASDA CSV or VOTable) or Aegean's ``_isle`` table.

    Returns
    -------
    pandas.Series
        Number of components, by the island's name.

    Raises
    ------
    SourceFinderError
        If the file cannot be read or is no island list.
    """
    rows = read_table(path).rows
    columns = next((pair for pair in _COLUMNS if set(pair) <= set(rows.columns)), None)
    if columns is None:
        raise SourceFinderError(
            f"{path} is no island list: it should have the columns island_id and n_components (Selavy) or island and "
            f"components (Aegean), and has {', '.join(map(str, rows.columns))}."
        )
    numbers = pd.to_numeric(rows[columns[1]], errors="coerce")
    islands = pd.Series(numbers.to_numpy(), index=island_names(rows[columns[0]]))
    return islands[islands.notna() & ~islands.index.duplicated()].astype("int64")


def island_names(values: pd.Series) -> pd.Series:
    """Return names of islands as text, the same for 3, 3.0 and "3".

    Parameters
    ----------
    values : pandas.Series
        Names or numbers.

    Returns
    -------
    pandas.Series
        Text.
    """
    return values.astype("str").str.strip().str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)


def components_of(names: pd.Series, path: Path, source: str) -> pd.Series:
    """Return how many components the islands of sources have.

    Parameters
    ----------
    names : pandas.Series
        The island of each source, as text.
    path : pathlib.Path
        The island list.
    source : str
        Name of the source list, for messages.

    Returns
    -------
    pandas.Series
        Numbers; of an island that the list lacks the number of its sources here.

    Raises
    ------
    SourceFinderError
        If the lists have no island in common.
    """
    islands, own = read_islands(path), names.groupby(names).transform("size")
    listed = names.map(islands)
    lacking = listed.isna()
    if len(names) and lacking.all():
        raise SourceFinderError(
            f"{path} has none of the islands of {source} (such as {names.iloc[0]}); is it the list of another image?"
        )
    if lacking.any():
        logger.warning(
            "%s lacks the islands of %d of %d sources of %s; their own sources are counted",
            path.name, lacking.sum(), len(names), source,
        )  # fmt: skip
    return listed.fillna(own).astype("int64")
