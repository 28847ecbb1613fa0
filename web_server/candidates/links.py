"""Other services that know a position: a table of addresses, all of them ICRS or J2000 (equal to 0.02″)."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings

from web_server.candidates.display import sexagesimal

# {ra} and {dec} are degrees; {signed} is the declination with its sign, {position} both with a blank
# between them, {hms} the same in hours and degrees. All are percent-encoded: a bare "+" means a blank.
SERVICES = {
    "SIMBAD": "https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={position}&CooFrame=ICRS&Radius=2&Radius.unit=arcmin",
    "NED": "https://ned.ipac.caltech.edu/conesearch?search_type=Near%20Position%20Search&coordinates={ra}d%20{signed}d"
    "&radius=2.0&in_csys=Equatorial&in_equinox=J2000.0",
    "VizieR": "https://vizier.cds.unistra.fr/viz-bin/VizieR-4?-c={position}&-c.eq=J2000&-c.rm=2&-sort=_r",
    "SkyView": "https://skyview.gsfc.nasa.gov/current/cgi/runquery.pl?Position={ra},{dec}&coordinates=ICRS"
    "&survey=SUMSS+843+MHz,NVSS&size=0.4",
    "Aladin": "https://aladin.cds.unistra.fr/AladinLite/?target={position}&fov=0.4",
    "ESASky": "https://sky.esa.int/esasky/?target={position}&fov=0.4&cooframe=J2000&sci=false",
    "TNS": "https://www.wis-tns.org/search?ra={ra}&decl={dec}&radius=30&coords_unit=arcsec",
    "CASDA": "https://casda.csiro.au/casda_vo_tools/sia2/query?POS=CIRCLE%20{ra}%20{dec}%200.01",
    "ATNF pulsars": "https://www.atnf.csiro.au/research/pulsar/psrcat/proc_form.php?Jname=Jname&Name=Name&P0=P0&DM=DM"
    "&S400=S400&S1400=S1400&startUserDefined=true&sort_attr=jname&sort_order=asc&ephemeris=short"
    "&coords_unit=rajd%2Fdecjd&radius=0.1&coords_1={ra}&coords_2={signed}&raddist=raddist"
    "&style=Long+with+last+digit+error&no_value=*&fsize=3&state=query",
    "VLASS": "https://www.legacysurvey.org/viewer?ra={ra}&dec={dec}&layer=vlass1.2&zoom=14&mark={ra},{dec}",
    "Legacy Survey": "https://www.legacysurvey.org/viewer?ra={ra}&dec={dec}&layer=ls-dr10&zoom=14&mark={ra},{dec}",
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
        Name and address; the setting ``SKY_SERVICES`` adds to the table, replaces, or with an empty
        address takes out.
    """
    ra %= 360
    texts = {
        "ra": f"{ra:.6f}",
        "dec": f"{dec:.6f}",
        "signed": f"{dec:+.6f}",
        "position": f"{ra:.6f} {dec:+.6f}",
        "hms": sexagesimal(ra, dec),
    }
    fields = {name: quote(text, safe="") for name, text in texts.items()}
    services = SERVICES | settings.SKY_SERVICES
    return [(name, address.format(**fields)) for name, address in services.items() if address]
