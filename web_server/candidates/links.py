"""Other services that know a position."""

from __future__ import annotations

from urllib.parse import quote

# {ra} and {dec} are degrees, {position} "ra dec" ready for an address with a sign.
SERVICES = {
    "SIMBAD": "https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={position}&CooFrame=ICRS&Radius=2&Radius.unit=arcmin",
    "NED": "https://ned.ipac.caltech.edu/conesearch?search_type=Near%20Position%20Search&in_csys=Equatorial"
    "&in_equinox=J2000&ra={ra}d&dec={dec}d&radius=2",
    "VizieR": "https://vizier.cds.unistra.fr/viz-bin/VizieR-4?-c={position}&-c.rm=2&-c.eq=J2000",
    "SkyView": "https://skyview.gsfc.nasa.gov/current/cgi/runquery.pl?Position={ra},{dec}&survey=SUMSS+843+MHz,NVSS"
    "&size=0.4",
    "Aladin": "https://aladin.cds.unistra.fr/AladinLite/?target={position}&fov=0.4",
    "ESASky": "https://sky.esa.int/esasky/?target={position}&fov=0.4",
    "Legacy": "https://www.legacysurvey.org/viewer?ra={ra}&dec={dec}&zoom=13",
}


def links_at(ra: float, dec: float) -> list[tuple[str, str]]:
    """Return the services with their addresses for a position.

    Parameters
    ----------
    ra, dec : float
        Degrees.

    Returns
    -------
    list of (str, str)
        Name and address.
    """
    position = quote(f"{ra:.6f} {dec:+.6f}")
    return [
        (name, address.format(ra=f"{ra:.6f}", dec=f"{dec:.6f}", position=position))
        for name, address in SERVICES.items()
    ]
