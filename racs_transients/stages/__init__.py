"""The stages of the pipeline: each turns options, files and tables into the next table."""

from racs_transients.stages.association import diagnostic_crossmatch, scaling_of, transient_crossmatch
from racs_transients.stages.convolution import check_convolution, field_of
from racs_transients.stages.figures import figures
from racs_transients.stages.inputs import choose_surveys, load_image, observe, reference_catalogue
from racs_transients.stages.measuring import compare_hidden, compare_matches, compare_new, compare_vanished
from racs_transients.stages.reporting import report
from racs_transients.stages.run import Field, Observation, Run
from racs_transients.stages.stamps import postage_stamps
from racs_transients.stages.verdict import judge, link

__all__ = [
    "Field",
    "Observation",
    "Run",
    "check_convolution",
    "choose_surveys",
    "compare_hidden",
    "compare_matches",
    "compare_new",
    "compare_vanished",
    "diagnostic_crossmatch",
    "field_of",
    "figures",
    "judge",
    "link",
    "load_image",
    "observe",
    "postage_stamps",
    "reference_catalogue",
    "report",
    "scaling_of",
    "transient_crossmatch",
]
