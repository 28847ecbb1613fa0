"""The diagnostic plots and those of the transient search: right signs, numbers, robust to 0, 1 and 10,000 rows."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from racs_transients import schema, tables
from racs_transients.beam import Beam
from racs_transients.flags import FLAGS
from racs_transients.plots import diagnostics, style, verdicts
from racs_transients.plots.ratio_axes import ratio_limit, ratio_words
from racs_transients.simulate.observation import tangent_wcs
from racs_transients.surveys import NVSS, SUMSS

SHAPE, CENTRE = (3000, 3000), (70.0, -55.0)
WCS = tangent_wcs(*CENTRE, SHAPE, (2.5, 2.5))
BEAM = Beam(15, 12, 60)


def pairs(n, seed=1):
    rng = np.random.default_rng(seed)
    ra, dec = WCS.wcs_pix2world(*rng.uniform(0, 3000, (2, n)), 0)
    return pd.DataFrame(
        {
            "askap_ra": ra,
            "askap_dec": dec,
            "askap_flux_int": 8 + 8 * rng.pareto(1.1, n),
            "ln_ratio": np.log(1.1) + 0.2 * rng.standard_normal(n),
            "ra_offset": 1.0 + rng.normal(0, 0.5, n),
            "dec_offset": -2.0 + rng.normal(0, 0.5, n),
        }
    )


def crossmatches(n, seed=1):
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["match", "noaskapmatch", "nocatalogmatch"], n)
    bits = (rng.random((n, 3)) < 0.1) @ (1 << np.array([1, 2, 11]))
    flag = np.select([bits & 2 != 0, bits & 4 != 0], [FLAGS[1].name, FLAGS[2].name], "Good")
    m, vs = rng.uniform(0, 2, n), rng.exponential(5, n)
    rows = {"match_id": range(n), "type": kinds, "flag_bits": bits, "flag": flag, "m_abs": m, "vs_abs": vs}
    candidate = (flag == "Good") & (m > 0.67) & (vs > 4.3)
    return tables.conform(pd.DataFrame(rows | {"is_candidate": candidate}), schema.CROSSMATCHES)


DRAWINGS = {
    "view": lambda n: diagnostics.flux_ratio_image_view(pairs(n), WCS, SHAPE, "SUMSS"),
    "offset": lambda n: diagnostics.position_offset(pairs(n), BEAM, "SUMSS", radius=5),
    "ratios": lambda n: diagnostics.flux_ratios(pairs(n), "SUMSS"),
    "from_centre": lambda n: diagnostics.flux_ratios_from_centre(pairs(n), CENTRE, "SUMSS"),
    "variability": lambda n: verdicts.variability(crossmatches(n), min_ratio=2.0),
    "counts": lambda n: verdicts.counts(crossmatches(n)),
}


def words(figure):
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts) + " ".join(
        axes.get_title() for axes in figure.axes
    )


@pytest.mark.parametrize("name", DRAWINGS)
def test_figures_are_drawn_with_no_one_and_ten_thousand_points_and_leave_no_state(name, tmp_path):
    before = dict(mpl.rcParams)
    for n in (0, 1, 10_000):
        style.save(DRAWINGS[name](n), tmp_path / f"{n}.png")
    sizes = [(tmp_path / f"{n}.png").stat().st_size for n in (0, 1, 10_000)]
    assert sizes[0] < sizes[2]
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for name in "ab":
        style.save(DRAWINGS["ratios"](20), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_median_ratio_and_its_scatter_are_printed_as_askap_over_survey():
    figure = diagnostics.flux_ratios(pairs(400), "SUMSS")
    median = np.exp(np.median(pairs(400)["ln_ratio"]))
    assert median == pytest.approx(1.1, abs=0.03)
    assert f"median {median:.3f}" in words(figure)
    assert figure.axes[0].get_ylabel() == "ASKAP / SUMSS flux ratio"
    assert "mJy" in figure.axes[0].get_xlabel()


def test_offsets_are_askap_minus_survey_with_east_to_the_left():
    axes = diagnostics.position_offset(pairs(300), BEAM, "NVSS", radius=5).axes[0]
    left, right = axes.get_xlim()
    assert left > 0 > right
    assert "ASKAP − NVSS" in axes.get_xlabel()
    assert "ΔRA cos δ: median +1.0" in words(axes.figure)
    assert "ΔDec: median -2.0" in words(axes.figure)
    points = next(c for c in axes.collections if len(c.get_offsets()) == 300).get_offsets()
    np.testing.assert_allclose(np.median(np.asarray(points), axis=0), [1.0, -2.0], atol=0.1)


def test_the_beam_points_as_on_the_sky():
    axes = diagnostics.position_offset(pairs(5), Beam(16, 4, 30), "SUMSS", radius=5).axes[0]
    line = next(line for line in axes.lines if line.get_label() == "beam (FWHM)")
    east, north = line.get_data()
    far = np.argmax(np.hypot(east, north))
    assert np.hypot(east[far], north[far]) == pytest.approx(8, rel=1e-3)
    assert np.rad2deg(np.arctan2(east[far], north[far])) % 180 == pytest.approx(30, abs=1.5)


def test_a_beam_far_wider_than_the_match_radius_does_not_squeeze_the_points():
    axes = diagnostics.position_offset(pairs(5), Beam(45, 45), "SUMSS", radius=5).axes[0]
    assert axes.get_xlim()[0] == pytest.approx(5.75)


def test_labels_of_the_sky_say_the_hour(tmp_path):
    figure = DRAWINGS["view"](5)
    style.save(figure, tmp_path / "view.png")
    labels = figure.axes[0].coords[0]._ticklabels.text["b"]
    assert len(labels) > 1
    assert all("^h" in label for label in labels)


def test_triangles_of_the_image_view_tell_brighter_from_fainter():
    two = pairs(2).assign(ln_ratio=[0.5, -0.5])
    axes = diagnostics.flux_ratio_image_view(two, WCS, SHAPE, "SUMSS").axes[0]
    up, down = [c for c in axes.collections if len(c.get_offsets())]
    x, y = WCS.wcs_world2pix(two["askap_ra"], two["askap_dec"], 0)
    np.testing.assert_allclose([up.get_offsets()[0], down.get_offsets()[0]], np.column_stack([x, y]))
    assert up.get_paths()[0].vertices[:, 1].argmax() != down.get_paths()[0].vertices[:, 1].argmax()


@pytest.mark.parametrize(("scatter", "expected"), [(0.1, 2.0), (0.4, 3.0), (2.0, 5.0)])
def test_the_axis_of_ratios_holds_most_of_them(scatter, expected):
    assert ratio_limit(scatter * np.random.default_rng(2).standard_normal(2000)) == expected


def test_ratios_beyond_the_axis_are_drawn_at_its_border():
    far = pairs(300).assign(ln_ratio=lambda t: t["ln_ratio"].where(t.index > 2, np.log(20)))
    axes = diagnostics.flux_ratios(far, "SUMSS").axes[0]
    top = axes.get_ylim()[1]
    offsets = np.concatenate([c.get_offsets() for c in axes.collections if len(c.get_offsets())])
    assert ((offsets[:, 1] > 0.95 * top) & (offsets[:, 1] < top)).sum() == 3
    assert "3 beyond a factor of 2" in words(axes.figure)


def test_source_numbers_count_full_lists_and_what_the_survey_should_see():
    sources = pd.DataFrame({"ra": 70.0, "dec": -55.0, "flux_int": [1.0, 2.0, 50.0, 80.0]})
    found = pd.DataFrame({"askap_source_id": [2, 2, 3, 0], "separation": [3.0, 30.0, 44.0, 46.0]})
    bars = diagnostics.source_numbers(sources, found, SUMSS, factor=1.0, snr=5, radius=45)
    assert [bar.count for bar in bars] == [4, 2, 2, 4, 3]
    assert [bar.of_survey for bar in bars] == [False, False, False, True, True]
    # NVSS does not reach declination −55
    assert diagnostics.source_numbers(sources, found, NVSS, factor=1.0, snr=5, radius=45)[1].count == 0


def test_source_counts_write_the_number_at_each_bar():
    axes = diagnostics.source_counts([diagnostics.Bar("a", 12345, False), diagnostics.Bar("b", 7, True)]).axes[0]
    assert {text.get_text() for text in axes.texts} == {"12,345", "7"}
    assert [patch.get_width() for patch in axes.patches] == [12345, 7]
    assert axes.patches[0].get_hatch() != axes.patches[1].get_hatch()


def test_variability_counts_rows_beyond_both_thresholds():
    rows = crossmatches(500)
    above = (rows["vs_abs"] >= 4.3) & (rows["m_abs"] >= 1.2)
    figure = verdicts.variability(rows, min_ratio=2.0)
    assert f"{above.sum()} above both thresholds, {(above & rows['is_candidate']).sum()} of them" in words(figure)
    assert {"|Vs| = 4.3", "|m| = 1.2", "ratio 2"} <= {text.get_text() for text in figure.axes[0].texts}


@pytest.mark.parametrize("name", ["view", "offset", "ratios", "from_centre"])
def test_words_and_legends_hide_no_pair(name, tmp_path):
    figure = DRAWINGS[name](400)
    style.save(figure, tmp_path / "figure.png")
    inside = figure.axes[0].get_window_extent()
    shown = [text for text in [*figure.axes[0].texts, *figure.legends] if text.get_window_extent().overlaps(inside)]
    assert figure.axes[0].get_legend() is None
    assert shown == []


def test_numbers_of_candidates_hide_neither_each_other_nor_candidates(tmp_path):
    near = crossmatches(12).assign(
        type="match", flag="Good", is_candidate=True, match_id=range(95, 107),
        m_abs=1.3 + 0.008 * np.arange(12), vs_abs=[12.0, 12.4, 20.0, 20.1, 20.2, 9.0, 9.1, 30.0, 31.0, 6.0, 6.1, 6.2],
    )  # fmt: skip
    figure = verdicts.variability(near, min_ratio=2.0)
    style.save(figure, tmp_path / "figure.png")
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text().isdigit()]
    assert len(boxes) >= 6
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    points = axes.transData.transform(near[["m_abs", "vs_abs"]].to_numpy(float))
    assert not any(box.contains(*point) for box in boxes for point in points)


def test_flag_counts_are_those_of_the_table():
    rows = crossmatches(500)
    table = verdicts.flag_counts(rows)
    assert table["primary"].sum() == len(rows)
    one = table[(table["type"] == "match") & (table["flag"] == FLAGS[2].name)].iloc[0]
    here = rows["type"] == "match"
    assert one["primary"] == (here & (rows["flag"] == FLAGS[2].name)).sum()
    assert one["applies"] == (here & (rows["flag_bits"] & 4 != 0)).sum() > one["primary"]


def test_robust_statistics_and_running_medians():
    median, mad = style.median_mad([1.0, 2.0, 3.0, 4.0, np.nan, 1000.0])
    assert (median, mad) == (3.0, pytest.approx(1.4826))
    assert np.isnan(style.median_mad([])).all()
    medians = style.running_median([1, 1, 1, 3], [5.0, 6.0, 7.0, 9.0], [0, 2, 4], at_least=2)
    assert medians[0] == 6.0
    assert np.isnan(medians[1])


def test_one_pair_is_no_plural_and_north_is_no_half_turn():
    figure = diagnostics.position_offset(pairs(1), Beam(45, 40, 179.8), "SUMSS", radius=5)
    assert "1 pair;" in words(figure)
    assert "PA 0°" in words(figure)
    assert ratio_words(np.zeros(1), 0.0, 0.0).startswith("1 pair;")
    assert ratio_words(np.zeros(2), 0.0, 0.0).startswith("2 pairs;")
