"""What the pipeline writes: images, their runs, the comparisons, the objects on the sky, the files.

Django owns the schema. The pipeline fills these tables with SQLAlchemy (``racs_transients.database``),
so that every column that is not NULL has a default in the database.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

from django.db import models
from django.db.models import Q, Value
from django.db.models.signals import post_delete
from django.dispatch import receiver

from racs_transients.flags import names_of
from racs_transients.schema import CROSSMATCHES, IMAGES, PRODUCT_KINDS, RUNS, SURVEY_RUNS
from web_server.candidates.columns import ColumnFields, FloatColumn, TextColumn

image_column = ColumnFields(IMAGES)
run_column = ColumnFields(RUNS)
survey_column = ColumnFields(SURVEY_RUNS)
row_column = ColumnFields(CROSSMATCHES)


def _json_field(empty: type[dict[str, Any]] | type[list[Any]]) -> Any:
    """Return a field for values of JSON, empty by default."""
    return models.JSONField(default=empty, db_default=Value(empty(), models.JSONField()), blank=True)


class Image(models.Model):
    """An ASKAP image, by its content."""

    sha256 = models.CharField(max_length=64, unique=True)
    name = models.TextField(db_default="")
    path = models.TextField(db_default="")
    ra = image_column("ra")
    dec = image_column("dec")
    frequency = image_column("frequency")
    beam_major = image_column("beam_major")
    beam_minor = image_column("beam_minor")
    beam_pa = image_column("beam_pa")
    epoch = image_column("epoch")
    width = image_column("width")
    height = image_column("height")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """One run of the pipeline on an image; the newest of an image and description is the current one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="runs")
    tag = TextColumn(db_default="", help_text="Description that the user gave the run")
    is_current = models.BooleanField(db_default=True)
    root = TextColumn(db_default="", help_text="Folder with the products")
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    version = models.TextField(db_default="")
    started_by = models.TextField(db_default="")
    peak_memory_mb = models.FloatField(null=True)
    image_rms = run_column("image_rms")
    askap_sources = run_column("askap_sources")
    command = _json_field(list)
    settings = _json_field(dict)
    versions = _json_field(dict)
    inputs = _json_field(dict)
    stages = _json_field(list)
    warnings = _json_field(list)

    class Meta:
        ordering = ("-finished", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("image", "tag"), condition=Q(is_current=True), name="one_current_run_of_image_and_tag"
            ),
        )

    def __str__(self) -> str:
        return f"{self.image}, {self.tag}"


@receiver(post_delete, sender=Run)
def _earlier_one_is_current(instance: Run, using: str, **_: Any) -> None:
    """Make the newest run that is left the current one, or the lists would lose the image."""
    if instance.is_current:
        left = Run.objects.using(using).filter(image=instance.image_id, tag=instance.tag)
        newest = left.order_by(models.F("finished").desc(nulls_last=True), "pk").first()
        if newest is not None:
            left.filter(pk=newest.pk).update(is_current=True)


class SurveyRun(models.Model):
    """The comparison of a run with one survey."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="survey_runs")
    survey = survey_column("survey")
    references = survey_column("references")
    pairs = survey_column("pairs")
    flux_scale = survey_column("flux_scale")
    flux_scale_err = survey_column("flux_scale_err")
    ln_ratio_scatter = survey_column("ln_ratio_scatter")
    ra_offset = survey_column("ra_offset")
    dec_offset = survey_column("dec_offset")
    askap_only_too_faint = survey_column("askap_only_too_faint")
    n_rows = survey_column("n_rows")
    candidates = survey_column("candidates")
    askap_only_outside_survey = survey_column("askap_only_outside_survey")
    counts = _json_field(dict)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("run", "survey"), name="one_comparison_of_run_and_survey"),)

    def __str__(self) -> str:
        return f"{self.run}: {self.survey}"


class SkyObject(models.Model):
    """A place on the sky that rows of several runs, images and surveys share; it never moves."""

    name = models.TextField(db_default="")
    ra = FloatColumn(help_text="Right ascension, ICRS, when the object was made (deg)")
    dec = FloatColumn(help_text="Declination, ICRS, when the object was made (deg)", db_index=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class Crossmatch(models.Model):
    """One row of the transient crossmatch."""

    # that of survey_run, for short queries; each index and constraint costs time at every injection
    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="crossmatches", db_index=False, db_constraint=False
    )
    survey_run = models.ForeignKey(SurveyRun, on_delete=models.CASCADE, related_name="crossmatches", db_index=False)
    sky_object = models.ForeignKey(SkyObject, on_delete=models.PROTECT, related_name="crossmatches")
    match_id = row_column("match_id")
    object_id = row_column("object_id")
    name = row_column("name")
    type = row_column("type")
    survey = row_column("survey")
    ra = row_column("ra")
    dec = row_column("dec")
    gal_l = row_column("gal_l")
    gal_b = row_column("gal_b")
    separation = row_column("separation")
    ra_offset = row_column("ra_offset")
    dec_offset = row_column("dec_offset")
    askap_source_id = row_column("askap_source_id")
    askap_name = row_column("askap_name")
    askap_island_id = row_column("askap_island_id")
    askap_island_components = row_column("askap_island_components")
    askap_origin = row_column("askap_origin")
    askap_flux = row_column("askap_flux")
    askap_flux_err = row_column("askap_flux_err")
    askap_scaled_flux = row_column("askap_scaled_flux")
    askap_scaled_flux_err = row_column("askap_scaled_flux_err")
    askap_ra = row_column("askap_ra")
    askap_dec = row_column("askap_dec")
    askap_ra_err = row_column("askap_ra_err")
    askap_dec_err = row_column("askap_dec_err")
    askap_flux_peak = row_column("askap_flux_peak")
    askap_flux_peak_err = row_column("askap_flux_peak_err")
    askap_flux_int = row_column("askap_flux_int")
    askap_flux_int_err = row_column("askap_flux_int_err")
    askap_major = row_column("askap_major")
    askap_minor = row_column("askap_minor")
    askap_pa = row_column("askap_pa")
    askap_rms = row_column("askap_rms")
    askap_snr = row_column("askap_snr")
    askap_beam_major = row_column("askap_beam_major")
    askap_beam_minor = row_column("askap_beam_minor")
    askap_finder_flags = row_column("askap_finder_flags")
    askap_nn_separation = row_column("askap_nn_separation")
    askap_group = row_column("askap_group")
    native_source_id = row_column("native_source_id")
    native_name = row_column("native_name")
    native_origin = row_column("native_origin")
    native_flux = row_column("native_flux")
    native_flux_err = row_column("native_flux_err")
    native_scaled_flux = row_column("native_scaled_flux")
    native_scaled_flux_err = row_column("native_scaled_flux_err")
    native_rms = row_column("native_rms")
    native_separation = row_column("native_separation")
    native_nn_separation = row_column("native_nn_separation")
    native_beam_major = row_column("native_beam_major")
    native_predicted_snr = row_column("native_predicted_snr")
    rescued = row_column("rescued")
    ref_source_id = row_column("ref_source_id")
    ref_name = row_column("ref_name")
    ref_origin = row_column("ref_origin")
    ref_flux = row_column("ref_flux")
    ref_flux_err = row_column("ref_flux_err")
    ref_scaled_flux = row_column("ref_scaled_flux")
    ref_scaled_flux_err = row_column("ref_scaled_flux_err")
    ref_ra = row_column("ref_ra")
    ref_dec = row_column("ref_dec")
    ref_ra_err = row_column("ref_ra_err")
    ref_dec_err = row_column("ref_dec_err")
    ref_flux_peak = row_column("ref_flux_peak")
    ref_flux_peak_err = row_column("ref_flux_peak_err")
    ref_flux_int = row_column("ref_flux_int")
    ref_flux_int_err = row_column("ref_flux_int_err")
    ref_major = row_column("ref_major")
    ref_minor = row_column("ref_minor")
    ref_pa = row_column("ref_pa")
    ref_rms = row_column("ref_rms")
    ref_snr = row_column("ref_snr")
    ref_beam_major = row_column("ref_beam_major")
    ref_beam_minor = row_column("ref_beam_minor")
    ref_mosaic = row_column("ref_mosaic")
    ref_nn_separation = row_column("ref_nn_separation")
    ref_group_flux = row_column("ref_group_flux")
    predicted_snr = row_column("predicted_snr")
    blend_flux = row_column("blend_flux")
    blend_explains = row_column("blend_explains")
    ratio = row_column("ratio")
    ratio_err = row_column("ratio_err")
    ratio_is_limit = row_column("ratio_is_limit")
    ln_ratio = row_column("ln_ratio")
    vs = row_column("vs")
    vs_abs = row_column("vs_abs")
    m = row_column("m")
    m_abs = row_column("m_abs")
    ratio_peak = row_column("ratio_peak")
    vs_peak = row_column("vs_peak")
    m_peak = row_column("m_peak")
    large_ratio = row_column("large_ratio")
    distance_from_centre = row_column("distance_from_centre")
    bright_separation = row_column("bright_separation")
    bright_flux = row_column("bright_flux")
    bright_sum = row_column("bright_sum")
    image_rms = row_column("image_rms")
    on_edge = row_column("on_edge")
    nearest_matches = row_column("nearest_matches")
    flag_bits = row_column("flag_bits")
    flag = row_column("flag")
    failure = row_column("failure")
    is_candidate = row_column("is_candidate")

    class Meta:
        ordering = ("run", "match_id")
        constraints = (models.UniqueConstraint(fields=("run", "match_id"), name="one_row_of_run_and_match_id"),)
        indexes = (
            models.Index(fields=("dec",), name="crossmatch_dec"),
            # what the progress of a run's review asks for
            models.Index(
                fields=("run", "sky_object", "survey"), condition=Q(is_candidate=True), name="candidates_of_run"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name}"

    @property
    def flag_names(self) -> tuple[str, ...]:
        """All flags of the row in words."""
        return names_of(self.flag_bits or 0)


class Product(models.Model):
    """A file that a run wrote."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="products")
    crossmatch = models.ForeignKey(Crossmatch, on_delete=models.CASCADE, null=True, related_name="products")
    kind = models.TextField(db_default="")
    survey = TextColumn(db_default="", help_text="Survey that the file belongs to")
    path = TextColumn(db_default="", help_text="Path below the root of the run")

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("run", "path"), name="one_product_of_run_and_path"),)

    def __str__(self) -> str:
        return f"{self.path}"

    @property
    def title(self) -> str:
        """What the file is, in words."""
        return str(PRODUCT_KINDS.get(self.kind, self.kind))

    def file(self) -> Path | None:
        """Return where the file is; None where it is gone, cannot be read or does not lie below the root of its run.

        Returns
        -------
        pathlib.Path or None
            An existing file.
        """
        root = Path(self.run.root).resolve()
        path = (root / self.path).resolve()
        # Path.is_file raises where a folder on the way may not be searched
        readable = os.path.isfile(path) and os.access(path, os.R_OK)  # noqa: PTH113
        return path if path.is_relative_to(root) and readable else None
