"""The programs: exit codes, messages, and where the log goes."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from racs_transients import __version__, logs, pipeline
from racs_transients.cli import main, process_askap_image
from racs_transients.config import Config
from racs_transients.errors import ConfigError, ImageError


@pytest.fixture(autouse=True)
def settings_restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give back the package's logger, and leave the niceness of the test's process alone."""
    package = logging.getLogger("racs_transients")
    handlers, level = list(package.handlers), package.level
    monkeypatch.setattr(os, "nice", lambda increment: 0)
    yield
    package.handlers[:] = handlers
    package.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "field.fits").touch()
    return "field.fits"


def pipeline_that(monkeypatch: pytest.MonkeyPatch, run: Callable[[Config], int]) -> None:
    monkeypatch.setattr(pipeline, "run_images", run)


def raising(error: BaseException) -> Callable[[Config], int]:
    def run(config: Config) -> int:
        raise error

    return run


def test_exit_code_is_that_of_the_pipeline(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Config] = []
    pipeline_that(monkeypatch, lambda config: seen.append(config) or 1)  # type: ignore[func-returns-value]
    assert process_askap_image([image, "--transients"]) == 1
    assert seen[0].transients.transients


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ImageError("field.fits is blank."), 1, "error: field.fits is blank.\n"),
        (ConfigError("Give --sumss-only."), 2, "error: Give --sumss-only.\n"),
        (KeyboardInterrupt(), 130, "interrupted; the same command goes on from here\n"),
        (
            ZeroDivisionError("a\nb"),
            1,
            "error: unexpected ZeroDivisionError: a b (--log-level DEBUG shows the traceback)\n",
        ),
    ],
)
def test_errors_are_one_line_and_an_exit_code(
    image: str,
    error: BaseException,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipeline_that(monkeypatch, raising(error))
    assert process_askap_image([image, "--log-level", "WARNING"]) == code
    assert capsys.readouterr().err == words


def test_debug_shows_the_traceback_of_a_fault(
    image: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline_that(monkeypatch, raising(ZeroDivisionError("a")))
    assert process_askap_image([image, "--log-level", "debug"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_wrong_use_is_told_before_any_work(
    image: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline_that(monkeypatch, raising(AssertionError("the pipeline was started")))
    assert process_askap_image([image, "--nice", "x", "--sumss-csv", "gone.csv"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: 2 mistakes in the options:"
    assert len(lines) == 3
    assert os.listdir() == [image]  # noqa: PTH208 - names only


def test_remarks_are_logged(image: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline_that(monkeypatch, lambda config: 0)
    assert process_askap_image([image, "--max-separation", "20"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["warning: --max-separation is the old name of --transient-max-separation"]


@pytest.mark.parametrize(("nice", "present", "added"), [("10", 0, 10), ("10", 4, 6), ("0", 4, 0)])
def test_process_is_made_as_nice_as_asked_for(
    image: str, nice: str, present: int, added: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(os, "nice", lambda increment: calls.append(increment) or present)  # type: ignore[func-returns-value]
    pipeline_that(monkeypatch, lambda config: 0)
    assert process_askap_image([image, "--nice", nice]) == 0
    assert calls[-1] == added


def test_help_is_grouped_and_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code in ((["-h"], 0), (["--version"], 0), (["-c", "gone.ini", "--help"], 0)):
        with pytest.raises(SystemExit) as caught:
            process_askap_image(arguments)
        assert caught.value.code == code
    out = capsys.readouterr().out
    assert f"racs_transients {__version__}\n" in out
    for words in ("[DATABASE]", "--conf_file FILE", "--transient-max-separation NUMBER", "examples:"):
        assert words in out


def test_libraries_are_imported_late_and_with_one_thread(image: str) -> None:
    code = (
        "import sys, os; from racs_transients.cli import process_askap_image; "
        "early = 'numpy' in sys.modules; process_askap_image(['field.fits']); "
        "print(early, 'numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'], os.environ['OMP_NUM_THREADS'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"} | {"OMP_NUM_THREADS": "3"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "1", "3"]
    assert "Traceback" not in done.stderr


def test_script_gives_its_exit_code(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "scripts" / "processASKAPimage.py"
    done = subprocess.run(
        [sys.executable, str(script), "gone.fits"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == f"error: there is no image {tmp_path / 'gone.fits'}.\n"


def test_simulate_refuses_a_field_outside_the_survey(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(tmp_path / "new"), "--survey", "SUMSS", "--dec", "30"]) == 2
    assert capsys.readouterr().err.startswith("error: SUMSS does not reach declination 30")
    assert not (tmp_path / "new").exists()


def test_log_file_has_what_the_screen_leaves_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    logger = logging.getLogger("racs_transients.some_stage")
    path = tmp_path / "run.log"
    path.write_text("an earlier run\n")
    with logs.log_file(path):
        logger.info("12 sources")
    logger.info("after the run")
    assert capsys.readouterr().err == "12 sources\nafter the run\n"
    first, second = path.read_text().splitlines()
    assert first == "an earlier run"
    assert second.endswith("INFO racs_transients.some_stage: 12 sources")


def test_what_stops_a_run_is_in_its_log_file(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    for error in (ImageError("field.fits is blank."), KeyboardInterrupt(), ZeroDivisionError("a fault")):
        with pytest.raises(type(error)), logs.log_file(path):
            raise error
    text = path.read_text()
    assert "ERROR racs_transients: field.fits is blank.\n" in text
    assert "ERROR racs_transients: interrupted\n" in text
    assert text.count("Traceback") == 1
    assert text.endswith("ZeroDivisionError: a fault\n")


def test_fault_inside_a_run_names_the_log_file(
    image: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(config: Config) -> int:
        with logs.log_file(Path("run.log")):
            raise ZeroDivisionError("a fault")

    pipeline_that(monkeypatch, run)
    assert process_askap_image([image, "--log-level", "WARNING"]) == 1
    assert capsys.readouterr().err == ("error: unexpected ZeroDivisionError: a fault (the traceback is in run.log)\n")


def test_each_stage_is_one_line_with_counts_and_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    recorded: list[tuple[str, str]] = []
    stages = logs.Stages(3, lambda name, words, seconds: recorded.append((name, words)))
    with stages("image") as done:
        done("512 × 512 pixels")
        done("beam 15″")
    with stages("quiet"):
        pass
    with pytest.raises(ImageError), stages("broken"):
        raise ImageError("no")
    lines = re.sub(r"\(\d+\.\d s\)", "(… s)", capsys.readouterr().err).splitlines()
    assert lines == ["image: 512 × 512 pixels; beam 15″ (… s)", "quiet (… s)"]
    assert recorded == [("image", "512 × 512 pixels; beam 15″"), ("quiet", "")]
