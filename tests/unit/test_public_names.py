"""What Python programs use of the package."""

import subprocess
import sys
from pathlib import Path

import pytest

import racs_transients
from racs_transients.errors import RunFolderError


def test_images_are_processed_and_results_read_from_python(small_command, small_results, tmp_path, monkeypatch):
    from racs_transients.options import parse_options

    config = parse_options([*small_command, "--output-dir", str(tmp_path)]).config
    assert isinstance(config, racs_transients.Config)
    assert racs_transients.run(config) == 0
    found = racs_transients.read_results(tmp_path / small_results.name)
    assert found.equals(racs_transients.read_results(small_results))
    assert set(found["survey"]) <= set(racs_transients.SURVEYS)


def test_a_folder_without_results_is_told(tmp_path):
    with pytest.raises(RunFolderError, match="not the results folder"):
        racs_transients.read_results(tmp_path)


def test_nothing_is_imported_before_it_is_used():
    code = "import racs_transients, sys; assert not {'numpy', 'pandas', 'astropy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0


def test_other_names_are_no_attributes():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        racs_transients.nothing  # noqa: B018
