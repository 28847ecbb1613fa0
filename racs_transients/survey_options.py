"""Which surveys the options choose, and the options that exist once for each survey."""

from __future__ import annotations

from typing import Any

from racs_transients.config import Config, all_options
from racs_transients.surveys import SURVEYS, Survey


def chosen_surveys(config: Config) -> tuple[Survey, ...]:
    """Return the surveys that options name.

    Parameters
    ----------
    config : Config
        The options.

    Returns
    -------
    tuple of Survey
        In the order given; none where the declination decides.
    """
    own, analysis = config.own_surveys, config.analysis
    if analysis.survey:
        return tuple(own[name].survey if name in own else SURVEYS[name] for name in analysis.survey.split(","))
    return tuple(survey for name, survey in SURVEYS.items() if getattr(analysis, f"{_key(name)}_only", False))


def of_survey(config: Config, survey: Survey, option: str) -> Any:
    """Return the value of an option that exists once for each survey.

    Parameters
    ----------
    config : Config
        The options.
    survey : Survey
        The survey.
    option : {"csv", "mosaic_dir", "ext_thresh"}
        The option without the survey's name.

    Returns
    -------
    object
        Its value.
    """
    if survey.name in config.own_surveys:
        return getattr(config.own_surveys[survey.name], option)
    wanted = f"{_key(survey.name)}_{option}"
    return next(getattr(getattr(config, section), name) for section, name, _ in all_options() if name == wanted)


def _key(name: str) -> str:
    """Return a survey's name as it stands in options."""
    return name.lower().replace("-", "_")
