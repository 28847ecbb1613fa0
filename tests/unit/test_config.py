"""Options: what is accepted, what it means, and what is refused."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from racs_transients.arguments import ALIASES, OPTIONS, spelled, without_secrets
from racs_transients.config import REDACTED, SECTIONS, Config, Database
from racs_transients.errors import ConfigError
from racs_transients.image_lists import file_of_image
from racs_transients.options import ParsedOptions, parse_options

# Reference table of the earlier pipeline, with the defaults that this one changes on purpose noted.
DOCUMENTED_DEFAULTS = {
    "log_level": "INFO", "nice": 10, "clobber": False, "sumss_only": False, "nvss_only": False,
    "weight_crop": False, "weight_crop_value": 0.04, "convolve": False, "convolved_image": None,
    "convolved_non_conv_askap_csv": None, "convolved_non_conv_askap_islands_csv": None, "sourcefinder": "aegean",
    "askap_csv": None, "askap_islands_csv": None, "sumss_csv": None, "nvss_csv": None,
    "remove_extended": False, "askap_ext_thresh": 1.2, "sumss_ext_thresh": 1.2, "nvss_ext_thresh": 1.2,
    "use_all_fits": False, "write_ann": False, "produce_overlays": True, "boundary_value": "nan",
    "askap_flux_error": 0.0, "diagnostic_max_separation": 5.0, "transient_max_separation": 45.0,
    "postage_stamps": False, "postage_stamp_selection": "all", "postage_stamp_radius": 13.0,
    "postage_stamp_zscale_contrast": 0.2, "sumss_mosaic_dir": None, "nvss_mosaic_dir": None,
    "aegean_settings_config": None, "pybdsf_settings_config": None, "selavy_settings_config": None,
    "transients": False, "transients_askap_snr_thresh": 5.0, "transients_large_flux_ratio_thresh": 3.0,
    "db_inject": True, "db_username": "postgres", "db_host": "localhost", "db_port": 5432,
    "db_tag": "RACS Analysis", "website_media_dir": None,
    # changed: no tag is None; the header or nothing; found out from the file; half the processors; own database
    "output_tag": None, "frequency": None, "askap_csv_format": None, "postage_stamp_ncores": None,
    "weight_crop_image": None, "db_engine": "sqlite", "db_database": None, "db_password": None,
}  # fmt: skip


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of an image in the current folder; no variable of the user's counts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RACS_TRANSIENTS_VIZIER_URL", raising=False)
    (tmp_path / "field.fits").touch()
    return "field.fits"


def value_of(parsed: ParsedOptions, name: str) -> Any:
    return getattr(getattr(parsed.config, OPTIONS[name][0]), name)


def mistakes_of(arguments: list[str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_options(arguments)
    assert caught.value.exit_code == 2
    lines = str(caught.value).splitlines()
    if len(lines) == 1:
        return [lines[0].removesuffix(".")]
    assert lines[0] == f"{len(lines) - 1} mistakes in the options:"
    return [line.removeprefix("  - ") for line in lines[1:]]


def ini(text: str, name: str = "run.ini") -> list[str]:
    Path(name).write_text(text, encoding="utf-8")
    return ["-c", name]


def test_every_documented_option_exists_with_its_default(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RACS_TRANSIENTS_DATABASE_URL")
    parsed = parse_options([image])
    assert {name: value_of(parsed, name) for name in DOCUMENTED_DEFAULTS} == DOCUMENTED_DEFAULTS


def test_thresholds_that_the_earlier_code_held_fixed_are_options_with_the_same_defaults(image: str) -> None:
    flags = parse_options([image]).config.flags
    assert (flags.extended_thresh, flags.bright_source_radius, flags.large_island_components) == (1.75, 10.0, 3)
    assert (flags.bright_extended_snr, flags.local_rms_snr, flags.double_separation) == (50.0, 5.0, 112.5)
    assert (flags.nondetection_rms, flags.created_beams, flags.inflated_snr) == (3.0, 2.0, 5.0)
    assert (flags.convolved_flux_ratio, flags.nearest_matches, flags.edge_margin) == (1.25, 6, 60.0)
    assert parse_options([image, "--double-separation", "90"]).config.flags.double_separation == 90.0


def test_names_of_options_and_aliases_are_unique() -> None:
    names = [item.name for kind in SECTIONS.values() for item in fields(kind)] + list(ALIASES)
    assert len(names) == len(set(names))
    for option in (option for _, option in OPTIONS.values() if option.only_with):
        assert option.only_with.partition("=")[0] in OPTIONS


@pytest.mark.parametrize("name", [name for name, (_, option) in OPTIONS.items() if option.kind == "bool"])
@pytest.mark.parametrize(
    ("words", "expected"), [([], True), (["True"], True), (["yes"], True), (["0"], False), (["F"], False)]
)
def test_truth_values_work_bare_and_with_a_word(image: str, name: str, words: list[str], expected: bool) -> None:
    extra = {"postage_stamps": ["--transients"], "weight_crop": ["--weight-crop-image", image]}.get(name, [])
    for arguments in ([spelled(name), *words, image, *extra], [image, *extra, spelled(name), *words]):
        parsed = parse_options(arguments)
        assert value_of(parsed, name) is expected
        assert [path.name for path in parsed.config.images] == [image]


def test_bare_option_does_not_take_the_image_behind_it(image: str) -> None:
    Path("second.fits").touch()
    parsed = parse_options(["--transients", image, "--remove-extended", "second.fits", "--clobber=no"])
    assert [path.name for path in parsed.config.images] == [image, "second.fits"]
    assert parsed.config.transients.transients
    assert parsed.config.crossmatching.remove_extended
    assert not parsed.config.general.clobber


@pytest.mark.parametrize("spelling", ["--askap-flux-error", "--askap_flux_error"])
@pytest.mark.parametrize("form", ["{} 0.25", "{}=0.25"])
def test_hyphens_and_underscores_are_the_same(image: str, spelling: str, form: str) -> None:
    assert parse_options([image, *form.format(spelling).split()]).config.analysis.askap_flux_error == 0.25


def test_negative_numbers_are_values(image: str) -> None:
    assert parse_options([image, "--spectral-index", "-1e-1"]).config.analysis.spectral_index == -0.1
    assert parse_options([image, *ini("[ANALYSIS]\nspectral_index=-0.7\n")]).config.analysis.spectral_index == -0.7


def test_old_names_work_and_say_so(image: str) -> None:
    parsed = parse_options([image, "--max_separation", "20", "--db-name=racs"])
    assert parsed.config.crossmatching.transient_max_separation == 20.0
    assert parsed.config.database.db_database == "racs"
    assert parsed.warnings == (
        "--max_separation is the old name of --transient-max-separation",
        "--db-name is the old name of --db-database",
    )
    parsed = parse_options([image, *ini("[TRANSIENTS]\ntransients_askap_sumss_snr_thresh=7\n")])
    assert parsed.config.transients.transients_askap_snr_thresh == 7.0
    assert parsed.warnings == (
        "run.ini: transients_askap_sumss_snr_thresh is the old name of transients_askap_snr_thresh",
    )


@pytest.mark.parametrize("unset", ["None", "none", "NONE", ""])
def test_none_means_unset_in_every_option(image: str, unset: str) -> None:
    default = parse_options([image]).config
    by_words = [f"{spelled(name)}={unset}" for name in OPTIONS]
    assert parse_options([image, *by_words]).config == default
    by_file = "".join(
        f"[{section.upper()}]\n" + "".join(f"{item.name}={unset}\n" for item in fields(kind))
        for section, kind in SECTIONS.items()
    )
    parsed = parse_options([image, *ini(by_file)])
    assert parsed.config == default
    assert not parsed.warnings


def test_command_line_wins_over_ini_and_ini_over_default(image: str) -> None:
    Path("list.csv").touch()
    file = ini("[GENERAL]\nnice=3\nclobber=True\n[CATALOGUES]\naskap_csv=list.csv\n")
    config = parse_options([image, *file, "--nice", "5", "--askap-csv", "None"]).config
    assert (config.general.nice, config.general.clobber, config.catalogues.askap_csv) == (5, True, None)


def test_images_come_from_the_ini_and_the_command_line_wins(image: str) -> None:
    for name in ("a b.fits", "c.fits"):
        Path(name).touch()
    for text in ('images = "a b.fits", c.fits', "images =\n  a b.fits\n  c.fits"):
        parsed = parse_options(ini(f"[GENERAL]\n{text}\n"))
        assert [path.name for path in parsed.config.images] == ["a b.fits", "c.fits"]
        assert not parsed.warnings
    assert [path.name for path in parse_options([*ini("[GENERAL]\nimages = c.fits"), image]).config.images] == [image]


def test_paths_are_relative_to_where_the_user_stands(image: str, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "sumss.csv").touch()
    (tmp_path / "lists" / "run.ini").write_text("[CATALOGUES]\nsumss_csv=lists/sumss.csv\n")
    parsed = parse_options(["-c", "lists/run.ini", image])
    assert parsed.config.catalogues.sumss_csv == tmp_path / "lists" / "sumss.csv"
    assert parsed.config.images == (tmp_path / image,)


def test_a_percent_sign_and_blanks_in_a_value_stay(image: str) -> None:
    parsed = parse_options([image, *ini("[DATABASE]\ndb_password=a%b #;=c\ndb_database=x\ndb_tag=Tag to add\n")])
    assert parsed.config.database.db_password == "a%b #;=c"
    assert parsed.config.database.db_tag == "Tag to add"


def test_known_key_in_another_section_works_with_a_warning(image: str) -> None:
    parsed = parse_options([image, *ini("[crossmatching]\nuse_all_fits=True\n[DEFAULT]\nnice=2\n")])
    assert parsed.config.crossmatching.use_all_fits
    assert parsed.config.general.nice == 2
    assert parsed.warnings == ("run.ini: nice belongs into [GENERAL], not [DEFAULT]",)


def test_an_ini_file_may_begin_with_a_byte_order_mark(image: str) -> None:
    Path("windows.ini").write_text("[GENERAL]\r\noutput_tag = a\r\n", encoding="utf-8-sig")
    assert parse_options([image, "-c", "windows.ini"]).config.general.output_tag == "a"


def test_all_mistakes_are_reported_at_once(image: str) -> None:
    file = ini("[GENERAL]\nnyce=3\nlog_level=LOUD\n[ANALYSIS]\nfrequency=often\n")
    found = mistakes_of(
        [
            "missing.fits", *file, "--sumss-only", "--nvss-only", "yes", "--clobber=maybe", "--nice", "2.5",
            "--weight-crop-value", "4", "--sumss-csv", "no.csv", "--sumss-mosaic-dir", "nowhere",
            "--askap-flux-error=nan", "--transient", "--nvss-csv",
        ]
    )  # fmt: skip
    folder = Path.cwd()
    assert sorted(found) == sorted(
        [
            "run.ini: unknown option nyce in [GENERAL]; did you mean nice?",
            "--log-level is one of WARNING, INFO, DEBUG, not 'LOUD'",
            "--frequency is a number in Hz, not 'often'",
            f"there is no image {folder / 'missing.fits'}",
            "--sumss-only, --nvss-only and --survey exclude each other",
            "--clobber is yes or no, not 'maybe'",
            "--nice is a whole number, not '2.5'",
            "--weight-crop-value is at least 0 and at most 1, not 4",
            f"--sumss-csv: there is no file {folder / 'no.csv'}",
            f"--sumss-mosaic-dir: there is no folder {folder / 'nowhere'}",
            "--askap-flux-error is a number, not 'nan'",
            "unknown option --transient; did you mean transients?",
            "--nvss-csv needs a value",
        ]
    )


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (["--weight-crop"], "--weight-crop needs --weight-crop-image"),
        (["--postage-stamps"], "--postage-stamps needs --transients"),
        (["--beam-minor", "10"], "--beam-minor needs a --beam-major that is not smaller"),
        (["--beam-minor", "10", "--beam-major", "9"], "--beam-minor needs a --beam-major that is not smaller"),
        (["--frequency", "99"], "--frequency is at least 1e+07 Hz, not 99"),
        (["--frequency", "inf"], "--frequency is a number in Hz, not 'inf'"),
        (["--nice", "-1"], "--nice is at least 0 and at most 19, not -1"),
        (["--candidate-min-ratio", "0.5"], "--candidate-min-ratio is at least 1, not 0.5"),
        (
            ["--askap-csv-format", "pyse"],
            "--askap-csv-format is one of aegean, selavy, pybdsf, racs_transients, not 'pyse'",
        ),
        (["--output-tag", "../x"], "--output-tag is a part of a folder's name and cannot hold a slash"),
        (["-c"], "-c needs the name of a file"),
        (["-c", "gone.ini"], "there is no configuration file gone.ini"),
    ],
)
def test_single_mistakes_are_named(image: str, arguments: list[str], mistake: str) -> None:
    assert mistakes_of([image, *arguments]) == [mistake]


def test_wrong_kinds_of_files_are_refused(image: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    found = mistakes_of(["folder", "--sumss-csv", "folder", "--nvss-mosaic-dir", image, "--output-dir", image])
    assert found == [
        f"{tmp_path / 'folder'} is a folder, not a file",
        f"--output-dir: {tmp_path / image} is no folder",
        f"--sumss-csv: {tmp_path / 'folder'} is a folder, not a file",
        f"--nvss-mosaic-dir: there is no folder {tmp_path / image}",
    ]


def test_a_run_needs_images_of_different_names(image: str, tmp_path: Path) -> None:
    assert mistakes_of([]) == ["no image is given; name one beside the options or with images= in [GENERAL]"]
    (tmp_path / "other").mkdir()
    for name in ("other/" + image, image + ".gz", image.replace(".fits", ".FITS")):
        (tmp_path / name).touch()
        assert mistakes_of([image, name]) == [
            "two images have the same name (before .fits), so that their results folders would be one"
        ]


def test_files_behind_a_closed_folder_are_named(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stat(path: Path, **_: object) -> os.stat_result:
        if "closed" in path.parts:
            raise PermissionError(errno.EACCES, "Permission denied")
        return os.stat(path)  # noqa: PTH116

    monkeypatch.setattr(Path, "stat", stat)
    here = Path.cwd()
    assert mistakes_of([image, "closed/b.fits", "-c", "closed/a.ini", "--nvss-mosaic-dir", "closed/m"]) == [
        "there is no configuration file closed/a.ini",
        f"{here}/closed/b.fits cannot be reached: Permission denied",
        f"--nvss-mosaic-dir: there is no folder {here}/closed/m",
    ]
    name = "x" * 300
    assert mistakes_of([image, "--sumss-csv", name]) == [
        f"--sumss-csv: {here}/{name} cannot be reached: File name too long"
    ]


MANY = (
    "--askap-csv",
    "--askap-islands-csv",
    "--convolved-non-conv-askap-csv",
    "--convolved-non-conv-askap-islands-csv",
    "--weight-crop-image",
    "--convolved-image",
)


@pytest.fixture
def several(image: str, tmp_path: Path) -> list[str]:
    """Return the names of two images; each has a list and an island list."""
    (tmp_path / "second.fits").touch()
    for name in ("a.csv", "b.csv", "my field.csv", "field_list.csv", "second_list.csv"):
        (tmp_path / name).touch()
    return [image, "second.fits"]


@pytest.mark.parametrize("option", MANY)
def test_lists_of_several_images_are_in_their_order_or_named_by_a_pattern(several: list[str], option: str) -> None:
    needed = ["--convolve", "--weight-crop"] + [
        word for other in MANY for word in (other, "a.csv,b.csv") if other != option
    ]
    for text, names in (
        ("a.csv, my field.csv", ["a.csv", "my field.csv"]),
        ("\nb.csv\na.csv\n", ["b.csv", "a.csv"]),
        ("{image}_list.csv", ["field_list.csv", "second_list.csv"]),
    ):
        config = parse_options([*several, *needed, f"{option}={text}"]).config
        files = getattr(getattr(config, OPTIONS[option[2:].replace("-", "_")][0]), option[2:].replace("-", "_"))
        assert [file_of_image(path, files, config.images) for path in config.images] == [Path.cwd() / n for n in names]
        json.dumps(config.to_dict())


def test_list_of_one_image_may_have_any_name(several: list[str]) -> None:
    config = parse_options([several[0], "--askap-csv", "my field.csv"]).config
    assert (
        file_of_image(config.images[0], config.catalogues.askap_csv, config.images) == Path("my field.csv").absolute()
    )
    assert file_of_image(config.images[0], None, config.images) is None


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("a.csv", "the files are 1, the images 2; give one for each image"),
        ("a.csv,b.csv,a.csv", "the files are 3, the images 2; give one for each image"),
        ("a.csv,gone.csv", "there is no file {here}/gone.csv"),
        ("{{image}}_gone.csv", "there is no file {here}/field_gone.csv"),
    ],
)
def test_lists_that_fit_no_image_are_refused(several: list[str], text: str, mistake: str) -> None:
    found = mistakes_of([*several, "--askap-csv", text.format()])
    assert found[0].startswith(f"--askap-csv: {mistake.format(here=Path.cwd())}")


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (["--askap-islands-csv=a.csv"], "--askap-islands-csv needs the --askap-csv that it belongs to"),
        (
            ["--convolve", "--convolved-non-conv-askap-islands-csv=a.csv"],
            "--convolved-non-conv-askap-islands-csv needs the --convolved-non-conv-askap-csv that it belongs to",
        ),
        (
            ["--askap-csv-format=aegean", "--askap-columns=ra=a,dec=b,flux_peak=c,flux_int=d"],
            "--askap-columns and --askap-csv-format exclude each other",
        ),
        (["--askap-columns=ra=a,dec=b"], "--askap-columns lacks flux_peak, flux_int"),
        (
            ["--askap-columns=ra=a,dec=b,flux_peek=c"],
            "--askap-columns: unknown name flux_peek; did you mean flux_peak?; known are "
            "ra, dec, flux_peak, flux_int, major, minor, pa, flux_peak_err, flux_int_err, rms, island, flags",
        ),
        (["--askap-columns=ra"], "--askap-columns: 'ra' is not of the form flux_int = S_int [mJy]"),
        (["--askap-columns=ra=a,ra=b"], "--askap-columns: ra is given twice"),
        (
            ["--askap-columns=ra=a,dec=b,flux_peak=c,flux_int=d,major=e"],
            "--askap-columns lacks minor, pa",
        ),
    ],
)
def test_options_of_lists_that_do_not_go_together(several: list[str], arguments: list[str], mistake: str) -> None:
    assert mistakes_of([several[0], *arguments]) == [mistake]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("nice=3\n", "run.ini is no ini file: File contains no section headers."),
        ("[GENERAL]\nnice=3\nnice=4\n", "run.ini is no ini file: While reading from"),
        (
            "[CROSSMATCHING]\nmax_separation=3\ntransient_max_separation=4\n",
            "run.ini: transient_max_separation is given",
        ),
        ('[GENERAL]\nimages="a\n', "run.ini: a quotation mark in images is not closed"),
        ("[NEW]\nsomething_else=3\n", "run.ini: unknown option something_else in [NEW]"),
    ],
)
def test_broken_ini_files_are_named(image: str, text: str, start: str) -> None:
    (mistake,) = mistakes_of([image, *ini(text)])
    assert mistake.startswith(start)


def test_options_that_are_switched_off_are_not_looked_at(image: str) -> None:
    arguments = [
        "--weight-crop-image", "no.fits", "--convolved-image", "no.fits", "--selavy-settings-config", "no.in",
        "--postage-stamp-radius", "9", "--db-inject", "no", "--db-name", "x", "--website-media-dir", image,
    ]  # fmt: skip
    parsed = parse_options([image, *arguments])
    assert parsed.config.analysis.weight_crop_image == (Path.cwd() / "no.fits",)


def test_images_may_share_their_weights(several: list[str]) -> None:
    config = parse_options([*several, "--weight-crop", "--weight-crop-image", "a.csv"]).config
    files = config.analysis.weight_crop_image
    assert {file_of_image(path, files, config.images, shared=True) for path in config.images} == {
        Path("a.csv").absolute()
    }


def test_shared_weights_that_are_not_there_are_named_once(several: list[str]) -> None:
    found = mistakes_of([*several, "--weight-crop", "--weight-crop-image", "no.fits"])
    assert found == [f"--weight-crop-image: there is no file {Path.cwd()}/no.fits"]


def test_finder_of_a_given_list_does_not_run(image: str) -> None:
    parsed = parse_options([image, "--sourcefinder", "selavy", "--askap-csv", image])
    assert parsed.config.analysis.sourcefinder == "selavy"


@pytest.mark.parametrize("option", ["db_username", "db_password", "db_host", "db_port"])
def test_what_only_a_server_needs_means_postgresql(image: str, option: str) -> None:
    given = [image, spelled(option), "5433", "--db-database", "x"]
    assert parse_options(given).config.database.db_engine == "postgresql"
    assert parse_options([*given, "--db-engine", "sqlite"]).config.database.db_engine == "sqlite"
    assert parse_options([image, "--db-name", "x"]).config.database.db_engine == "sqlite"


def test_vizier_address_comes_from_the_environment_unless_given(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RACS_TRANSIENTS_VIZIER_URL", "http://one.example/votable")
    assert parse_options([image]).config.catalogues.vizier_url == "http://one.example/votable"
    given = parse_options([image, "--vizier-url", "http://two.example"])
    assert given.config.catalogues.vizier_url == "http://two.example"


def test_catalogues_are_kept_in_the_users_cache_folder(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert parse_options([image]).config.catalogues.cache_dir == Path("/somewhere/racs_transients")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/astronomer")
    assert parse_options([image]).config.catalogues.cache_dir == Path("/home/astronomer/.cache/racs_transients")


def test_configuration_is_frozen_and_json_able_without_secrets(image: str) -> None:
    config = parse_options([image, "--db-password", "hunter2", "--db-database", "x"]).config
    text = json.dumps(config.to_dict())
    assert "hunter2" not in text + repr(config)
    assert json.loads(text)["database"]["db_password"] == REDACTED
    assert json.loads(text)["images"] == [str(Path.cwd() / image)]
    assert config.to_dict(redacted=False)["database"]["db_password"] == "hunter2"
    assert {name for part in config.to_dict().values() if isinstance(part, dict) for name in part} == set(OPTIONS)
    with pytest.raises(FrozenInstanceError):
        config.general.nice = 1  # type: ignore[misc]
    assert Config().to_dict()["database"]["db_password"] is None
    assert Config(database=Database(db_password="hunter2")) != Config()


@pytest.mark.parametrize("spelling", ["--db-password hunter2", "--db_password=hunter2", "--db-password=hunter2"])
def test_command_line_is_recorded_without_secrets(spelling: str) -> None:
    command = ["processASKAPimage.py", "a.fits", *spelling.split(), "--clobber"]
    recorded = without_secrets(command)
    assert "hunter2" not in " ".join(recorded)
    assert (recorded[:2], recorded[-1]) == (command[:2], "--clobber")
    assert any(REDACTED in word for word in recorded)
    assert without_secrets(["x", "--db-password"]) == ["x", "--db-password"]
