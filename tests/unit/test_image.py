"""Images: what is read from real-world headers, and what is refused in one sentence."""

import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from racs_transients import sky
from racs_transients.beam import Beam
from racs_transients.errors import ImageError
from racs_transients.image import Image, image_radius, near_blank, read_image

SHAPE = (60, 80)
REAL = Path("../shared/data")


def header(**changes):
    """Return the header of a plain good image; a value of None takes a keyword out."""
    cards = {
        "CTYPE1": "RA---SIN", "CRVAL1": 150.0, "CRPIX1": 40.5, "CDELT1": -3 / 3600, "CUNIT1": "deg",
        "CTYPE2": "DEC--SIN", "CRVAL2": -40.0, "CRPIX2": 30.5, "CDELT2": 3 / 3600, "CUNIT2": "deg",
        "BMAJ": 15 / 3600, "BMIN": 12 / 3600, "BPA": 30.0, "BUNIT": "Jy/beam", "RESTFRQ": 887.5e6,
    }  # fmt: skip
    cards |= {name.replace("_", "-"): value for name, value in changes.items()}
    return fits.Header([(name, value) for name, value in cards.items() if value is not None])


def noise(shape=SHAPE):
    return np.random.default_rng(1).normal(0, 1e-3, shape).astype(np.float32)


def write(path, data=None, **changes):
    data = noise() if data is None else data
    head = header(**changes)
    fits.PrimaryHDU(data, head).writeto(path)
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "image.fits"


def test_plain_image_is_read_as_it_is(file):
    data = noise()
    data[:3] = np.nan
    image = read_image(write(file, data))
    np.testing.assert_array_equal(image.data, data)
    assert image.data.dtype == np.dtype("=f4")
    assert image.data.flags.c_contiguous
    assert image.frequency == pytest.approx(887.5)
    assert (image.beam.major, image.beam.minor, image.beam.pa) == pytest.approx((15, 12, 30))
    assert image.pixel_scales == pytest.approx((3, 3))
    assert image.centre == pytest.approx((150, -40))
    assert np.isnan(image.epoch)


@pytest.mark.parametrize("extra", [(1,), (1, 1)])
def test_degenerate_axes_are_dropped(file, extra):
    changes = {"CTYPE3": "FREQ", "CRVAL3": 9.435e8, "CRPIX3": 1.0, "CDELT3": 1e6, "CUNIT3": "Hz"}
    image = read_image(write(file, noise(extra + SHAPE), RESTFRQ=None, **changes))
    assert image.data.shape == SHAPE
    assert image.frequency == pytest.approx(943.5)


def test_cube_is_refused(file):
    with pytest.raises(ImageError, match="80 × 60 × 3"):
        read_image(write(file, noise((3, *SHAPE))))


@pytest.mark.parametrize("name", ["image.FITS", "image.fits.gz", "image.FITS.gz"])
def test_names_and_compression_do_not_matter(tmp_path, name):
    assert read_image(write(tmp_path / name)).data.shape == SHAPE


def test_image_in_a_compressed_extension(file):
    plane = noise()
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(plane, header())]).writeto(file)
    image = read_image(file)
    assert np.abs(image.data - plane).max() < 2e-4


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"RESTFRQ": 887.5e6}, 887.5),
        ({"RESTFREQ": 1367.5e6}, 1367.5),
        ({"FREQ": 843.0}, 843.0),
        ({"OBSFREQ": 1.4e9}, 1400.0),
        ({"CTYPE3": "FREQ", "CRVAL3": 943.5, "CUNIT3": "MHz"}, 943.5),
        ({"CTYPE3": "STOKES", "CRVAL3": 1.0, "CTYPE4": "FREQ-LSR", "CRVAL4": 1.44746e9}, 1447.46),
        ({"CTYPE3": "FREQ", "CRVAL3": 0.9435, "CUNIT3": "GHz"}, 943.5),
        ({"CTYPE3": "FREQ", "CRVAL3": 900e6, "CRPIX3": 0.0, "CDELT3": 10e6}, 910.0),
    ],
)
def test_frequency_from_any_usual_keyword(file, changes, expected):
    fits.PrimaryHDU(noise(), header(**{"RESTFRQ": None} | changes)).writeto(file)
    assert read_image(file).frequency == pytest.approx(expected)


def test_header_wins_over_the_option(file):
    image = read_image(write(file), frequency=1400.0, beam=Beam(45, 45))
    assert (image.frequency, image.beam.major) == pytest.approx((887.5, 15))


def test_options_fill_what_the_header_lacks(file):
    image = read_image(write(file, RESTFRQ=None, BMAJ=None), frequency=843.0, beam=Beam(45, 40, 5))
    assert image.frequency == 843.0
    assert image.beam == Beam(45, 40, 5)


def test_beam_from_the_last_clean_of_aips_history(file):
    head = header(BMAJ=None, BMIN=None, BPA=None)
    for major in ("1.0000E-02", "1.2500E-02"):
        head.add_history(f"AIPS   CLEAN BMAJ=  {major} BMIN=  1.0000E-02 BPA=  -12.50")
    fits.PrimaryHDU(noise((200, 200)), head).writeto(file)
    beam = read_image(file).beam
    assert (beam.major, beam.minor, beam.pa) == pytest.approx((45, 36, -12.5))


def test_beam_from_the_table_of_casa(file):
    table = Table({"BMAJ": [16.0], "BMIN": [11.0], "BPA": [70.0]}, units={"BMAJ": "arcsec", "BMIN": "arcsec"})
    beams = fits.BinTableHDU(table, name="BEAMS")
    fits.HDUList([fits.PrimaryHDU(noise(), header(BMAJ=None, BMIN=None, BPA=None, CASAMBM=True)), beams]).writeto(file)
    beam = read_image(file).beam
    assert (beam.major, beam.minor, beam.pa) == pytest.approx((16, 11, 70))


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("JY/BEAM", 1), ("Jy/beam ", 1), ("beam-1 Jy", 1), ("Jy beam^-1", 1), ("Jy.beam-1", 1), ("mJy/beam", 1e-3),
     ("uJy/beam", 1e-6)],
)  # fmt: skip
def test_units_of_brightness(file, unit, factor):
    image = read_image(write(file, BUNIT=unit))
    np.testing.assert_allclose(image.data, noise() * factor, rtol=1e-6)


def test_missing_unit_is_taken_as_jansky_with_a_warning(file, caplog):
    read_image(write(file, BUNIT=None))
    assert "BUNIT" in caplog.text


def test_zero_can_mean_blank(file):
    data = noise()
    data[:, :5] = 0
    assert np.isnan(read_image(write(file, data), blank="zero").data).sum() == 5 * SHAPE[0]
    assert not np.isnan(read_image(file).data).any()


@pytest.mark.parametrize("kind", ["CD", "PC", "CROTA"])
def test_turned_axes_in_all_three_notations_agree(tmp_path, kind):
    angle, step = 25.0, 3 / 3600
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    matrix = {"1_1": -step * cos, "1_2": -step * sin, "2_1": -step * sin, "2_2": step * cos}
    if kind == "CD":
        changes = {"CDELT1": None, "CDELT2": None} | {f"CD{k}": v for k, v in matrix.items()}
    elif kind == "PC":
        changes = {f"PC{k}": v / (-step if k[0] == "1" else step) for k, v in matrix.items()}
    else:
        changes = {"CROTA2": angle}
    head = header()
    for name, value in changes.items():
        head[name] = value
        if value is None:
            del head[name]
    path = tmp_path / f"{kind}.fits"
    fits.PrimaryHDU(noise(), head).writeto(path)
    image = read_image(path)
    assert image.pixel_scales == pytest.approx((3, 3))
    ra, dec = image.pixel_to_sky([39.5, 39.5], [29.5, 39.5])
    east, north = sky.offsets(ra[0], dec[0], ra[1], dec[1])
    sign = -1 if kind != "CROTA" else np.sign(east)
    assert (abs(east), north) == pytest.approx((30 * sin, 30 * cos), abs=0.01)
    assert np.sign(east) == sign


@pytest.mark.parametrize("projection", ["SIN", "TAN", "NCP", "ZEA", "HPX"])
def test_projections_go_there_and_back(file, projection):
    changes = {"CTYPE1": f"RA---{projection}", "CTYPE2": f"DEC--{projection}"}
    if projection == "HPX":
        changes |= {"CRVAL1": 0.0, "CRVAL2": 0.0, "CRPIX1": -1000.0, "CRPIX2": -2000.0}
    image = read_image(write(file, **changes))
    x, y = np.array([0, 10.5, 79]), np.array([0, 30.25, 59])
    back = image.sky_to_pixel(*image.pixel_to_sky(x, y))
    np.testing.assert_allclose(back, (x, y), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "epoch"),
    [({"DATE-OBS": "2020-01-26T05:00:00"}, 58874.20833), ({"MJD-OBS": 58000.5}, 58000.5), ({"DATE-OBS": ""}, np.nan)],
)
def test_epoch(file, changes, epoch):
    fits.PrimaryHDU(noise(), header(**changes)).writeto(file)
    assert read_image(file).epoch == pytest.approx(epoch, abs=1e-4, nan_ok=True)


def weights():
    """Return weights as of a mosaic: largest in the middle, nowhere negative."""
    y, x = np.indices(SHAPE)
    return np.exp(-((x - 40) ** 2 + (y - 30) ** 2) / 800).astype(np.float32)


@pytest.mark.parametrize(
    ("data", "changes", "words"),
    [
        (None, {"BUNIT": "K"}, "is in K"),
        (None, {"BMAJ": None}, "no beam"),
        (None, {"BMAJ": "15 arcsec"}, "is no number"),
        (None, {"RESTFRQ": None}, "no frequency"),
        (None, {"RESTFRQ": 5.0}, "5 MHz"),
        (None, {"BMAJ": 15.0, "BMIN": 12.0}, "wider than a quarter"),
        (None, {"BMAJ": 4 / 3600, "BMIN": 4 / 3600}, "not sampled"),
        (None, {"BMAJ": 10 / 3600}, "impossible"),
        (None, {"CTYPE1": None, "CTYPE2": None}, "no celestial"),
        (None, {"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, "no celestial"),
        (None, {"CTYPE1": "GLON-SIN", "CTYPE2": "GLAT-SIN"}, "regrid"),
        (None, {"CTYPE1": "DEC--SIN", "CTYPE2": "RA---SIN", "CRVAL1": -40.0, "CRVAL2": 150.0}, "regrid"),
        (None, {"CTYPE2": "DEC--TAN"}, "cannot be read"),
        (None, {"EQUINOX": 1950.0}, "J2000"),
        (None, {"EPOCH": 1950.0}, "J2000"),
        (None, {"RADESYS": "FK4"}, "J2000"),
        (np.full(SHAPE, np.nan, np.float32), {}, "no valid pixel"),
        (np.zeros(SHAPE, np.float32), {}, "All pixels"),
        (weights(), {}, "weights image"),
        (weights(), {"BUNIT": ""}, "weights image"),
    ],
)
def test_unusable_image_is_refused_in_one_sentence(file, data, changes, words):
    write(file, data, **changes)
    with pytest.raises(ImageError, match=words) as caught:
        read_image(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ImageError, match="There is no image"):
        read_image(tmp_path / "none.fits")
    with pytest.raises(ImageError, match="no file"):
        read_image(tmp_path)


@pytest.mark.parametrize("content", [b"", b"SIMPLE", b"not a FITS file" * 300, b"\x1f\x8b broken"])
def test_no_fits_file(file, content):
    file.write_bytes(content)
    with pytest.raises(ImageError, match=r"cannot be read|holds no image"):
        read_image(file)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("compressed", [False, True])
def test_truncated_file(tmp_path, kept, compressed):
    whole = write(tmp_path / "whole.fits").read_bytes()
    whole = gzip.compress(whole) if compressed else whole
    path = tmp_path / ("part.fits.gz" if compressed else "part.fits")
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ImageError, match="truncated"):
        read_image(path)


def test_table_only(file):
    fits.BinTableHDU(Table({"flux": [1.0]})).writeto(file)
    with pytest.raises(ImageError, match="holds no image"):
        read_image(file)


def test_nothing_is_silenced_outside_the_reading(file):
    with warnings.catch_warnings():
        before = list(warnings.filters)
        read_image(write(file))
        assert warnings.filters == before


def test_positions_behind_the_tangent_plane_have_no_pixel(file):
    image = read_image(write(file))
    x, _ = image.sky_to_pixel([150.0, 330.0], [-40.0, 40.0])
    assert np.isfinite(x[0])
    assert np.isnan(x[1])


def test_radius_reaches_the_farthest_valid_pixel(file):
    data = np.full(SHAPE, np.nan, np.float32)
    data[20:40, 30:50] = noise((20, 20))
    image = read_image(write(file, data))
    ra, dec = image.pixel_to_sky(30, 20)
    farthest = sky.separation(ra, dec, *image.centre) / 3600
    assert farthest < image_radius(image) < farthest + 3 * 3 / 3600


def blank_slowly(image, ra, dec, margin):
    """Return the answer of near_blank for one position, pixel by pixel."""
    x, y = (round(float(v)) for v in image.sky_to_pixel(ra, dec))
    half_x, half_y = (int(np.ceil(margin / scale)) for scale in image.pixel_scales)
    for row in range(y - half_y, y + half_y + 1):
        for column in range(x - half_x, x + half_x + 1):
            inside = 0 <= row < image.data.shape[0] and 0 <= column < image.data.shape[1]
            if not inside or np.isnan(image.data[row, column]):
                return True
    return False


def test_near_blank_agrees_with_a_pixel_by_pixel_search(file):
    data = noise()
    data[25, 33] = np.nan
    data[:, 75:] = np.nan
    image = read_image(write(file, data, CDELT2=5 / 3600))
    rng = np.random.default_rng(2)
    ra, dec = image.pixel_to_sky(rng.uniform(-5, 84, 300), rng.uniform(-5, 64, 300))
    expected = [blank_slowly(image, *position, 20.0) for position in zip(ra, dec, strict=True)]
    found = near_blank(image, ra, dec, 20.0)
    assert found.tolist() == expected
    assert 0 < found.sum() < 300


def test_near_blank_off_the_sky_and_without_positions(file):
    image = read_image(write(file))
    assert near_blank(image, [330.0], [40.0], 10.0).tolist() == [True]
    assert near_blank(image, [], [], 10.0).tolist() == []


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data is not there")
@pytest.mark.parametrize(
    ("name", "frequency", "expected", "scales"),
    [
        ("sumss_mosaics/J0336M36.FITS.gz", 843.0, 843.0, (11.0, 18.71)),
        ("sumss_mosaics/J0318M36.FITS.gz", 843.0, 843.0, (11.0, 18.71)),
        ("images/Fornaxa_vla.FITS.gz", None, 1510.0, (7.0, 7.0)),
        ("images/ScorpioS17Field.fits.gz", None, 1447.46, (1.5, 1.5)),
        ("images/SB9602.i.taylor0.cutout.fits", 943.5, 943.5, (2.0, 2.0)),
    ],
)
def test_real_images(name, frequency, expected, scales):
    image = read_image(REAL / name, frequency=frequency)
    assert isinstance(image, Image)
    assert image.frequency == pytest.approx(expected, rel=1e-4)
    assert image.pixel_scales == pytest.approx(scales, rel=1e-3)


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data is not there")
@pytest.mark.parametrize("name", ["sumss_mosaics/J0336M36.FITS.gz", "images/SB9602.i.taylor0.cutout.fits"])
def test_real_images_without_frequency_ask_for_it(name):
    with pytest.raises(ImageError, match="--frequency"):
        read_image(REAL / name)
