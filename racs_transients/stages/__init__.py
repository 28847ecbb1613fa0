"""The stages of the pipeline: each turns options, files and tables into the next table."""

from racs_transients.stages.association import diagnostic_crossmatch, scaling_of, transient_crossmatch
from racs_transients.stages.inputs import choose_survey, load_image, noise_maps, reference_catalogue, source_list
from racs_transients.stages.measuring import compare_matches, compare_new, compare_vanished
from racs_transients.stages.run import Field, Run
from racs_transients.stages.verdict import judge

__all__ = [
    "Field",
    "Run",
    "choose_survey",
    "compare_matches",
    "compare_new",
    "compare_vanished",
    "diagnostic_crossmatch",
    "judge",
    "load_image",
    "noise_maps",
    "reference_catalogue",
    "scaling_of",
    "source_list",
    "transient_crossmatch",
]
