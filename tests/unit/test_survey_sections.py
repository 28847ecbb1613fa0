"""Sections [SURVEY:name] of the ini file, and the choice of surveys."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from racs_transients import sky
from racs_transients.catalogues import fetch_reference, read_reference_file
from racs_transients.config import Config
from racs_transients.errors import ConfigError
from racs_transients.options import parse_options
from racs_transients.survey_options import chosen_surveys, of_survey
from racs_transients.surveys import SUMSS, Survey
from tests.servers import LocalVizier, serving

SECTION = """
[SURVEY:GLEAM]
tables = VIII/100/gleamegc
frequency = 200e6
beam = 140, 120, 10
noise = 15 to -72.5, 8 to 18.5, 20
completeness = 50
density = 10.4
bright = 3000
dec_max = 30
b_min = 10
flux_int = Fintwide [Jy]
flux_int_err = e_Fintwide [Jy]
major = awide
minor = bwide
pa = pawide
name = GLEAM
skyview = GLEAM 170-231 MHz
"""


@pytest.fixture
def parse(tmp_path):
    (tmp_path / "field.fits").touch()

    def parsed(ini: str, *words: str) -> Config:
        (tmp_path / "run.ini").write_text(ini, encoding="utf-8")
        return parse_options([str(tmp_path / "field.fits"), "-c", str(tmp_path / "run.ini"), *words]).config

    return parsed


def gleam(parse) -> Survey:
    return parse(SECTION).own_surveys["GLEAM"].survey


def test_a_section_becomes_a_survey(parse):
    survey = gleam(parse)
    assert (survey.frequency, survey.bright_mjy, survey.skyview) == (200, 3000, "GLEAM 170-231 MHz")
    assert survey.vizier_tables == ("VIII/100/gleamegc",)
    assert [float(axis) for axis in survey.beam_axes(-30.0)] == [140, 120, 10]
    np.testing.assert_array_equal(survey.rms.at([-80, -30, 25]), [15, 8, 20])
    columns = survey.catalogues[0].columns
    assert (columns["flux_int"].name, columns["flux_int"].unit) == ("Fintwide", "Jy")
    assert (columns["ra"].name, columns["major"].unit) == ("_RAJ2000", "arcsec")
    assert survey.contains([0, 0, 266.4], [-30, 31, -29]).tolist() == [True, False, False]


def test_surveys_are_chosen_by_name_in_any_spelling_and_the_order_given(parse):
    names = [survey.name for survey in chosen_surveys(parse(SECTION, "--survey", "nvss, racs-LOW,gleam,NVSS"))]
    assert names == ["NVSS", "RACS-low", "GLEAM"]
    assert chosen_surveys(parse(SECTION)) == ()
    assert [survey.name for survey in chosen_surveys(parse("", "--nvss-only"))] == ["NVSS"]


def test_options_of_each_survey_come_from_the_command_or_its_section(parse, tmp_path):
    (tmp_path / "list.csv").touch()
    ini = SECTION.replace(
        "tables = VIII/100/gleamegc", f"file = {tmp_path}/list.csv\nra = RA\ndec = DE\next_thresh = 2"
    )
    config = parse(ini, "--sumss-csv", str(tmp_path / "list.csv"), "--sumss-ext-thresh", "1.5")
    own = config.own_surveys["GLEAM"].survey
    assert of_survey(config, own, "csv") == of_survey(config, SUMSS, "csv") == tmp_path / "list.csv"
    assert (of_survey(config, own, "ext_thresh"), of_survey(config, SUMSS, "ext_thresh")) == (2, 1.5)
    assert of_survey(config, own, "mosaic_dir") is None
    assert config.to_dict()["surveys"]["GLEAM"]["frequency"] == "200e6"


def test_all_mistakes_of_a_section_are_named_at_once_with_the_nearest_name(parse):
    ini = """
[SURVEY:MINE]
file = nowhere.csv
freqency = 1e9
beam = wide
noise = 1 to -50
completeness = 2 to -50, 3 to -60, 4
density = -3
ra = RA [arcsec/s]
flux_int = S [K]
dec_min = 20
dec_max = -20
sizes_deconvolved = perhaps
[SURVEY:nvss]
"""
    with pytest.raises(ConfigError) as caught:
        parse(ini, "--survey", "MYNE,SUMS")
    text = str(caught.value)
    for words in (
        "unknown key freqency; did you mean frequency?",
        "beam is one number in arcsec",
        "noise is a number, or numbers with the declination",
        "completeness is a number",
        "density is a number",
        "arcsec/s is no unit",
        "K is no unit that can be turned into mJy",
        "dec_min is not south",
        "sizes_deconvolved is yes or no",
        "[SURVEY:MINE] lacks frequency, dec",
        "nvss is built in",
        "no survey MYNE among SUMSS, NVSS, RACS-low, MINE, nvss; did you mean MINE?",
        "no survey SUMS",
    ):
        assert words in text


def test_files_and_folders_of_a_section_must_exist(parse):
    ini = SECTION.replace("tables = VIII/100/gleamegc", "file = nowhere.csv\nra = RA\ndec = DE\nmosaic_dir = nowhere")
    with pytest.raises(ConfigError, match=r"(?s)file: there is no file .*mosaic_dir: there is no folder"):
        parse(ini)


@pytest.mark.parametrize("words", [("--sumss-only", "--survey", "NVSS"), ("--sumss-only", "--nvss-only")])
def test_ways_of_choosing_exclude_each_other(parse, words):
    with pytest.raises(ConfigError, match="exclude each other"):
        parse("", *words)


def test_a_survey_of_ones_own_comes_from_vizier(parse, tmp_path):
    survey, rng, n = gleam(parse), np.random.default_rng(6), 300
    ra, dec = 50 + rng.uniform(-3, 3, n), -40 + rng.uniform(-2.5, 2.5, n)
    rows = {"_RAJ2000": ra, "_DEJ2000": dec, "GLEAM": sky.iau_name("", ra, dec), "Fintwide": 0.5, "e_Fintwide": 0.02}
    table = pd.DataFrame(rows).assign(awide=200.0, bwide=150.0, pawide=20.0)
    with serving(LocalVizier({"VIII/100/gleamegc": table})) as vizier:
        found = fetch_reference(survey, 50.0, -40.0, 1.0, cache_dir=tmp_path, url=vizier.url, pause=0.01)
    assert (found["flux_int"] == 500).all()
    assert found["flux_int_err"].to_numpy() == pytest.approx(20)
    assert (found[["major", "minor", "beam_major", "beam_minor", "beam_pa"]] == [200, 150, 140, 120, 10]).all(axis=None)
    assert found["name"].str.match(r"J03\d{4}\.\d-[34]\d{5}$").all()


def test_a_file_may_give_sizes_in_degrees_and_the_beam_of_each_source(parse, tmp_path):
    columns = "file = own.csv\nra = A [hourangle]\ndec = D\nmajor = M [deg]\nminor = M [deg]\npa = P\n"
    columns += "beam_major = B\nbeam_minor = B\nbeam_pa = P"
    text = SECTION
    for key in ("major", "minor", "pa", "name", "flux_int_err"):
        text = re.sub(rf"^{key} = .*\n", "", text, flags=re.MULTILINE)
    rows = {"A": [1.0, 2.0], "D": -40.0, "M": 0.05, "P": 0.0, "B": [130.0, np.nan], "Fintwide": [0.1, 0.2]}
    pd.DataFrame(rows).to_csv(tmp_path / "own.csv", index=False)
    text = text.replace("tables = VIII/100/gleamegc", columns.replace("own.csv", str(tmp_path / "own.csv")))
    config = parse(text)
    own = config.own_surveys["GLEAM"]
    found = read_reference_file(own.csv, own.survey)
    assert found["ra"].tolist() == pytest.approx([15, 30])
    assert found["major"].tolist() == pytest.approx([180, 180])
    assert found["beam_major"].tolist() == [130, 140]
    # an error that is missing is made of the noise and the flux scale
    assert found["flux_int_err"].tolist() == pytest.approx(np.hypot(8, 0.03 * np.array([100, 200])))
    assert found["name"].tolist() == ["GLEAM J010000.0-400000", "GLEAM J020000.0-400000"]
