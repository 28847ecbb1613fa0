"""The example command and both ini files of the earlier documentation, unchanged but for paths."""

from __future__ import annotations

import io
import logging
import shlex
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from racs_transients.arguments import OPTIONS
from racs_transients.cli import process_askap_image
from racs_transients.config import Config
from racs_transients.image import read_image
from racs_transients.image_files import write_image
from racs_transients.options import parse_options
from racs_transients.simulate import FieldSettings, simulate_field
from racs_transients.smoothing import smoothed, smoothing_to
from racs_transients.stages.convolution import beam_for
from tests.postgres import PostgresServer

IMAGE = "image.askap.mosaic.restored.fits"
COMMAND = (
    f"{IMAGE} --remove-extended --askap-ext-thresh 1.4 --sumss-ext-thresh 1.4 --max-separation 20.0 --postage-stamps "
    "--sumss-mosaic-dir sumss_mosaics --write-ann --transients --db-username user123 --db-name racstest "
    '--db-tag "first test" --website-media-dir media'
)
LONG_INI = """\
[GENERAL]
output_tag=askap_racs_analysis
log_level=INFO
nice=10
clobber=True

[ANALYSIS]
sumss_only=true
nvss_only=false
frequency=864e6
weight_crop=True
weight_crop_value=0.04
weight_crop_image=weights.fits
convolve=True
convolved_image=convolved.fits
convolved_non_conv_askap_csv=askap_catalog.csv
convolved_non_conv_askap_islands_csv=askap_islands_catalog.csv
sourcefinder=aegean
# aegean_settings_config=None
# pybdsf_settings_config=None
# selavy_settings_config=None
boundary_value=nan
askap_flux_error=0.1

[CATALOGUES]
askap_csv=askap_catalog.csv
askap_islands_csv=askap_islands_catalog.csv
# sumss_csv=None
# nvss_csv=None
askap_csv_format=aegean
write_ann=True

[CROSSMATCHING]
diagnostic_max_separation=5.0
transient_max_separation=45.0
remove_extended=True
askap_ext_thresh=1.3
sumss_ext_thresh=1.5
nvss_ext_thresh=1.2
use_all_fits=False

[TRANSIENTS]
transients=True
transients_askap_sumss_snr_thresh=5.0
transients_large_flux_ratio_thresh=2.0

[POSTAGESTAMPS]
postage_stamps=False
postage_stamp_selection=all
postage_stamp_ncores=6
postage_stamp_radius=13.0
postage_stamp_zscale_contrast=0.25
sumss_mosaic_dir=sumss_mosaics
nvss_mosaic_dir=sumss_mosaics

[DATABASE]
db_inject=true
db_engine=postgresql
db_username=user
db_host=localhost
db_port=5432
db_database=RACS
db_tag=Tag to add to pipeline run
website_media_dir=media
"""
# Its paths of what is switched off lead nowhere, as they do for people who copied it.
SHORT_INI = """\
[GENERAL]
output_tag=example
log_level=INFO
nice=10
clobber=True

[ANALYSIS]
frequency=864e6
weight_crop=False
weight_crop_value=0.04
weight_crop_image=../path/to/weight_cropped_image.fits
convolve=False
convolved_image=../path/to/convolved_image.fits
convolved_non_conv_askap_csv=../path/to/preconvolved_catalog.csv_
sourcefinder=aegean
# aegean_settings_config=None
# pybdsf_settings_config=None
# selavy_settings_config=None
boundary_value=nan
askap_flux_error=0.1

[CATALOGUES]
askap_csv=askap_catalog.csv
# sumss_csv=None
# nvss_csv=None
askap_csv_format=aegean
write_ann=True

[CROSSMATCHING]
diagnostic_max_separation=5.0
transient_max_separation=20.0
remove_extended=True
askap_ext_thresh=1.4
sumss_ext_thresh=1.4
nvss_ext_thresh=1.2
use_all_fits=False

[TRANSIENTS]
transients=True
transients_askap_sumss_snr_thresh=5.0
transients_large_flux_ratio_thresh=2.0

[POSTAGESTAMPS]
postage_stamps=True
postage_stamp_selection=all
postage_stamp_ncores=2
postage_stamp_radius=13.0
postage_stamp_zscale_contrast=0.25
sumss_mosaic_dir=sumss_mosaics
nvss_mosaic_dir=sumss_mosaics

[DATABASE]
db_engine=postgresql
db_username=user123
db_host=localhost
db_port=5432
db_database=racstest
db_tag=first test
website_media_dir=media
"""
OLD_SNR_NAME = "{}: transients_askap_sumss_snr_thresh is the old name of transients_askap_snr_thresh"


@dataclass(frozen=True)
class Example:
    """A documented example: its command line, and what it means."""

    arguments: tuple[str, ...]
    results: str
    warnings: tuple[str, ...]
    values: dict[str, object]


EXAMPLES = {
    "command": Example(
        tuple(shlex.split(COMMAND)),
        "image.askap.mosaic.restored_results",
        (
            "--max-separation is the old name of --transient-max-separation",
            "--db-name is the old name of --db-database",
        ),
        {
            "remove_extended": True, "askap_ext_thresh": 1.4, "sumss_ext_thresh": 1.4, "nvss_ext_thresh": 1.2,
            "transient_max_separation": 20.0, "diagnostic_max_separation": 5.0, "postage_stamps": True,
            "write_ann": True, "transients": True, "db_username": "user123", "db_database": "racstest",
            "db_tag": "first test", "db_engine": "postgresql", "db_inject": True, "db_port": 5432, "clobber": False,
        },
    ),
    "long ini": Example(
        ("-c", "long.ini", IMAGE),
        "image.askap.mosaic.restored_results_askap_racs_analysis",
        (OLD_SNR_NAME.format("long.ini"),),
        {
            "output_tag": "askap_racs_analysis", "clobber": True, "sumss_only": True, "nvss_only": False,
            "frequency": 864e6, "weight_crop": True, "convolve": True, "sourcefinder": "aegean",
            "boundary_value": "nan", "askap_flux_error": 0.1, "askap_csv_format": "aegean",
            "transient_max_separation": 45.0, "askap_ext_thresh": 1.3, "sumss_ext_thresh": 1.5,
            "transients_askap_snr_thresh": 5.0, "transients_large_flux_ratio_thresh": 2.0, "postage_stamps": False,
            "postage_stamp_ncores": 6, "db_engine": "postgresql", "db_database": "RACS",
            "db_tag": "Tag to add to pipeline run",
        },
    ),
    "short ini": Example(
        ("-c", "myparset.in", IMAGE),
        "image.askap.mosaic.restored_results_example",
        (OLD_SNR_NAME.format("myparset.in"),),
        {
            "output_tag": "example", "weight_crop": False, "convolve": False, "transient_max_separation": 20.0,
            "askap_ext_thresh": 1.4, "postage_stamps": True, "postage_stamp_ncores": 2,
            "postage_stamp_zscale_contrast": 0.25, "db_inject": True, "db_username": "user123",
        },
    ),
}  # fmt: skip


class _Vizier(BaseHTTPRequestHandler):
    """Answers every question with the server's table."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.end_headers()
        self.wfile.write(self.server.answer)  # type: ignore[attr-defined]

    def log_message(self, *words: object) -> None:
        """Say nothing."""


def whole_query(catalogue: pd.DataFrame, settings: FieldSettings) -> pd.DataFrame:
    """Return a catalogue that also has sources where the query reaches beyond the simulated sky."""
    rng = np.random.default_rng(5)
    half = 1.6
    n = rng.poisson(float(settings.reference.density_at(settings.ra, settings.dec)) * (2 * half) ** 2)
    x, y = rng.uniform(-half, half, (2, n))
    inner = (settings.size * settings.pixel / 2 + 1080) / 3600
    outside = np.maximum(abs(x), abs(y)) > inner
    dec = settings.dec + y[outside]
    ra = settings.ra + x[outside] / np.cos(np.deg2rad(dec))
    filling = catalogue.sample(int(outside.sum()), replace=True, random_state=1, ignore_index=True)
    return pd.concat([catalogue, filling.assign(_RAJ2000=ra, _DEJ2000=dec)], ignore_index=True)


def votable(catalogue: pd.DataFrame) -> bytes:
    text_columns = catalogue.select_dtypes(exclude="number").columns
    table = Table.from_pandas(catalogue.assign(**{name: catalogue[name].fillna("") for name in text_columns}))
    stream = io.BytesIO()
    table.write(stream, format="votable")
    return stream.getvalue().replace(b"<TABLE", b'<TABLE name="VIII/81B/sumss212"', 1)


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the files that the examples name."""
    folder = tmp_path_factory.mktemp("documented")
    settings = FieldSettings(size=700, new=2, vanished=2, variable=2)
    files = simulate_field(settings, folder / "simulated")
    shutil.copy(files.image, folder / IMAGE)
    shutil.copy(files.weights, folder / "weights.fits")
    image = read_image(files.image)
    target = beam_for(settings.reference, image)
    write_image(smoothed(image, smoothing_to(image, target)), folder / "convolved.fits")
    files.mosaics.rename(folder / "sumss_mosaics")
    truth = pd.read_csv(files.truth)
    bright = truth[truth["askap_flux"] > 3]
    aegean = pd.DataFrame(
        {
            "island": np.arange(len(bright)), "source": 0, "ra": bright["ra"], "dec": bright["dec"],
            "peak_flux": bright["askap_flux"] / 1e3, "int_flux": bright["askap_flux"] / 1e3, "err_peak_flux": 1e-4,
            "err_int_flux": 1e-4, "a": 15.0, "b": 12.0, "pa": 60.0, "flags": 0, "local_rms": 3e-4,
        }
    )  # fmt: skip
    aegean.to_csv(folder / "askap_catalog.csv", index=False)
    islands = aegean[["island"]].assign(components=1)
    islands.to_csv(folder / "askap_islands_catalog.csv", index=False)
    (folder / "long.ini").write_text(LONG_INI, encoding="utf-8")
    (folder / "myparset.in").write_text(SHORT_INI, encoding="utf-8")
    (folder / "answer.xml").write_bytes(votable(whole_query(pd.read_csv(files.catalogue), settings)))
    return folder


@pytest.fixture
def here(field: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in the folder of the files, with a local VizieR and an empty cache; give back the logger."""
    monkeypatch.chdir(field)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Vizier)
    server.answer = (field / "answer.xml").read_bytes()  # type: ignore[attr-defined]
    monkeypatch.setenv("RACS_TRANSIENTS_VIZIER_URL", f"http://127.0.0.1:{server.server_port}/viz-bin/votable")
    monkeypatch.setattr("os.nice", lambda increment: 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    package = logging.getLogger("racs_transients")
    handlers, level = list(package.handlers), package.level
    yield field
    package.handlers[:] = handlers
    package.setLevel(level)
    logging.captureWarnings(capture=False)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def database(postgres: PostgresServer) -> list[str]:
    """Make the roles and empty databases that the examples name; give back the option that says where they are."""
    for user, name in (("user", "RACS"), ("user123", "racstest")):
        postgres.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        postgres.run(f'DROP ROLE IF EXISTS "{user}"')
        postgres.run(f'CREATE ROLE "{user}" LOGIN')
        postgres.run(f'CREATE DATABASE "{name}" OWNER "{user}"')
    # the path of the server's socket in place of localhost
    return ["--db-host", str(postgres.folder)]


def value_of(config: Config, name: str) -> object:
    return getattr(getattr(config, OPTIONS[name][0]), name)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_documented_example_means_what_it_says(example: Example, here: Path) -> None:
    parsed = parse_options(example.arguments)
    assert {name: value_of(parsed.config, name) for name in example.values} == example.values
    assert parsed.warnings == example.warnings
    assert parsed.config.images == (here / IMAGE,)
    assert parsed.config.postagestamps.sumss_mosaic_dir == here / "sumss_mosaics"
    assert parsed.config.database.website_media_dir == here / "media"


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_documented_example_runs(
    example: Example, here: Path, database: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*example.arguments, *database]
    assert process_askap_image(arguments) == 0, capsys.readouterr().err
    rows = pd.read_csv(here / example.results / "transients" / "transients_master.csv")
    assert set(rows["type"]) <= {"match", "noaskapmatch", "nocatalogmatch"}
    assert (rows["type"] == "match").sum() >= 5
    # the catalogue came over the wire, as the examples ask for
    assert len(list((tmp_path / "racs_transients").glob("sumss-*.vot"))) == 1
    shutil.rmtree(here / example.results)


REFERENCE = Path(__file__).parents[2] / ".." / "shared" / "reference" / "earlier-readme.txt"


@pytest.mark.realdata
@pytest.mark.skipif(not REFERENCE.exists(), reason="../shared/reference is absent")
def test_examples_here_are_those_of_the_documentation() -> None:
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if line == "[GENERAL]"]
    for start, text in zip(starts, (LONG_INI, SHORT_INI), strict=True):
        end = next(n for n in range(start, len(lines)) if lines[n].startswith("website_media_dir="))
        documented, here = lines[start : end + 1], text.splitlines()
        assert [line.partition("=")[0] for line in documented] == [line.partition("=")[0] for line in here]
        different = {d.partition("=")[0] for d, h in zip(documented, here, strict=True) if d != h}
        assert all(OPTIONS[name][1].kind in {"file", "files", "folder", "new_folder"} for name in different)
    (command,) = [line for line in lines if line.startswith(f"processASKAPimage.py {IMAGE}")]
    documented, here = shlex.split(command)[1:], shlex.split(COMMAND)
    assert [word for word in documented if not word.startswith("/")] == [
        word for word in here if word not in {"sumss_mosaics", "media"}
    ]
