"""The report: complete, self-contained, and safe whatever the names say."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Picture

from racs_transients import report, schema, tables
from racs_transients.config import Config

VOID = {"meta", "img"}


class Page(HTMLParser):
    """Collects tags, text and pictures, and checks that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def attributes(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(self.words)


def manifest(**changes):
    image = {
        "path": "/data/field.fits", "sha256": "a" * 64, "ra": 315.0, "dec": -55.0, "frequency": 887.5,
        "beam_major": 15.0, "beam_minor": 12.0, "beam_pa": 60.0, "epoch": 58600.0, "width": 1000, "height": 900,
    }  # fmt: skip
    calibration = {"pairs": 40, "flux_scale": 1.05, "flux_scale_err": 0.01, "ln_ratio_scatter": 0.1}
    calibration |= {"ra_offset": 0.5, "dec_offset": -0.25}
    survey = {"references": 50, "calibration": calibration, "rows": {"match": 40}, "candidates": 1}
    config = Config().to_dict()
    config["transients"]["transients"] = True
    return {
        "version": "0.1", "versions": {"numpy": "2.4"}, "started": "2026-01-01T00:00:00+00:00", "command": ["run", "x"],
        "image": image, "inputs": {"sumss_csv": {"path": "/data/sumss.csv", "sha256": "b" * 64}}, "settings": config,
        "stages": [{"name": "image", "result": "read", "seconds": 0.5}], "surveys": {"SUMSS": survey},
        "warnings": [], "products": {}, "image_rms": 0.25, "askap_sources": 70,
    } | changes  # fmt: skip


def rows(n, name="J210000.0-550000"):
    frame = pd.DataFrame({"match_id": range(1, n + 1), "name": name, "type": "match", "survey": "SUMSS"})
    frame = frame.assign(ra=315.0, dec=-55.0, is_candidate=True, flag_bits=0, flag="Good", ratio=3.0, ratio_err=0.25)
    frame = frame.assign(vs=-5.5, m=-1.0, askap_flux=10.0, askap_flux_err=0.5, ref_flux=30.0, ref_flux_err=1.2)
    return tables.conform(frame.assign(askap_origin="detected", ref_origin="catalogued"), schema.CROSSMATCHES)


def test_the_page_holds_inputs_counts_settings_versions_and_candidates(tmp_path):
    page = Page(report.report_html(manifest(), rows(2), tmp_path))
    assert page.open == []
    assert len(page.attributes("article")) == 2
    for words in (
        "a" * 64,
        "b" * 64,
        "887.5 MHz",
        "1.050 ± 0.011",
        "+0.50″, -0.25″",
        "numpy",
        "2019-04-27",
        "10.00 ± 0.50 mJy",
    ):
        assert words in page.text
    assert "No transient search" not in page.text


def test_nothing_is_asked_of_the_network_and_pictures_are_inside(tmp_path):
    Picture.new("RGB", (40, 30)).save(tmp_path / "field_flux_ratios.png")
    Picture.new("RGB", (20, 10)).save(tmp_path / "stamp.jpg")
    noise = np.random.default_rng(5).integers(0, 255, (1800, 1700, 3), dtype=np.uint8)
    Picture.fromarray(noise).save(tmp_path / "field_overlay.png")
    products = {
        "field_overlay.png": {"kind": "askap_overlay", "survey": "SUMSS", "match_id": None},
        "field_flux_ratios.png": {"kind": "flux_ratios", "survey": "SUMSS", "match_id": None},
        "stamp.jpg": {"kind": "stamp_web", "survey": "SUMSS", "match_id": 2},
    }
    text = report.report_html(manifest(products=products), rows(2), tmp_path)
    page = Page(text)
    pictures = page.attributes("img")
    assert [p["src"][:15] for p in pictures] == ["data:image/jpeg", "data:image/png;", "data:image/jpeg"]
    assert all(p["alt"] for p in pictures)
    # an overlay of 9 MB is made smaller
    assert len(pictures[2]["src"]) < 3_000_000
    assert max(int(pictures[2]["width"]), int(pictures[2]["height"])) <= 1500
    assert page.text.count("no postage stamp") == 1
    assert not {"script", "link", "iframe", "a"} & {tag for tag, _ in page.tags}
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    policy = next(m["content"] for m in page.attributes("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><b>&"])
def test_no_name_can_become_markup(evil, tmp_path):
    given = manifest(warnings=[evil], command=["run", evil])
    given["image"] |= {"path": f"/data/{evil}.fits"}
    given["inputs"] = {evil: {"path": evil, "sha256": evil}}
    page = Page(report.report_html(given, rows(1, name=evil), tmp_path))
    assert page.open == []
    assert not {"script", "b", "img"} & {tag for tag, _ in page.tags}
    assert evil in page.text


def test_what_could_not_be_measured_is_said(tmp_path):
    given = manifest()
    given["surveys"]["SUMSS"]["calibration"] = {"pairs": 3, "flux_scale": 1.0, "flux_scale_err": 0.0}
    given["image"]["epoch"] = float("nan")
    given["settings"]["transients"]["transients"] = False
    text = Page(report.report_html(given, rows(0), tmp_path)).text
    assert text.count("not measured") == 3
    assert "unknown" in text
    assert "No transient search was asked for" in text


def test_options_that_differ_from_the_defaults_come_first(tmp_path):
    given = manifest()
    given["settings"]["crossmatching"]["transient_max_separation"] = 20.0
    text = Page(report.report_html(given, rows(0), tmp_path)).text
    changed, everything = text.split("All options")
    assert "transient_max_separation" in changed
    assert "diagnostic_max_separation" not in changed
    assert "diagnostic_max_separation" in everything


def test_many_candidates_are_cut_with_a_word(tmp_path):
    page = Page(report.report_html(manifest(), rows(report.MAX_CARDS + 7), tmp_path))
    assert len(page.attributes("article")) == report.MAX_CARDS
    assert "7 more" in page.text


def test_the_cards_are_those_of_the_largest_ratios_of_both_surveys_and_their_stamps_have_a_key(tmp_path):
    one, other = rows(report.MAX_CARDS), rows(3).assign(survey="NVSS", match_id=[301, 302, 303], ratio=[9.0, 2.5, 5.0])
    page = Page(report.report_html(manifest(), pd.concat([one, other], ignore_index=True), tmp_path))
    cards = [attributes["id"] for attributes in page.attributes("article")]
    assert cards[:3] == ["row-301", "row-303", "row-1"]
    assert "row-302" not in cards
    assert "light blue" not in page.text
    Picture.new("RGB", (20, 10)).save(tmp_path / "stamp.jpg")
    products = {"stamp.jpg": {"kind": "stamp_web", "survey": "SUMSS", "match_id": 1}}
    assert "The stamps are 26′ wide." in Page(report.report_html(manifest(products=products), one, tmp_path)).text
