"""Several images: side by side, a bad one among them, one whose process dies."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import MappingProxyType

import pytest

from racs_transients import pipeline, products
from racs_transients.cli import process_askap_image
from racs_transients.finders.process import run_programs
from racs_transients.parallel import shares, side_by_side

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parents[2] / "scripts/processASKAPimage.py"


def squared(number):
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2 if len(os.sched_getaffinity(0)) >= 1 else 99


def length(mapping):
    return len(mapping)


# What it writes says that the program runs, its process number which one
FINDER = "import os, time; open('part', 'w').write(str(os.getpid())); os.rename('part', 'number'); time.sleep(300)"


def run_finder(folder):
    run_programs("Finder", [[sys.executable, "-c", FINDER]], folder)
    return 0


def is_running(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def comes(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return result


def test_cores_are_divided():
    assert shares([0, 1, 2, 3, 4], 2) == [[0, 2, 4], [1, 3]]
    assert shares([3, 7], 2) == [[3], [7]]
    assert shares([5], 3) == [[5], [5], [5]]


def test_each_item_gives_its_exit_code_and_one_that_dies_stops_no_other():
    assert dict(side_by_side(squared, [1, 13, 2, 3], 2)) == {1: 1, 13: -9, 2: 4, 3: 9}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_works_for_a_killed_program_ends_with_it(number, tmp_path):
    words = (
        "import sys; from pathlib import Path; from racs_transients.parallel import side_by_side; "
        "from tests.pipeline.test_jobs import run_finder; list(side_by_side(run_finder, [Path(sys.argv[1])], 1))"
    )
    program = subprocess.Popen([sys.executable, "-c", words, str(tmp_path)], cwd=PROGRAM.parents[1])
    assert comes((tmp_path / "number").exists)
    finder = int((tmp_path / "number").read_text())
    assert is_running(finder)
    program.send_signal(number)
    program.wait()
    assert comes(lambda: not is_running(finder), 20)


def descendants(number):
    """Return the command lines of a process's children and theirs, by process number."""
    try:
        children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        own = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    except OSError:  # one has just ended
        return {}
    return own | {number: words for child in children for number, words in descendants(child).items()}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_a_run_that_is_ended_ends_its_finder(small_command, tmp_path):
    program = subprocess.Popen([sys.executable, str(PROGRAM), *small_command, "--output-dir", str(tmp_path)])

    def finder():
        return [number for number, words in descendants(program.pid).items() if b"aegean_worker" in words]

    assert comes(finder)
    (worker, *_) = finder()
    program.send_signal(signal.SIGTERM)
    assert program.wait(60) == 130
    assert not is_running(worker)
    (manifest,) = tmp_path.glob("*/run.json")
    assert json.loads(manifest.read_text())["error"] == "interrupted"


def test_surveys_can_be_sent():
    assert [code for _, code in side_by_side(length, [MappingProxyType({"a": 1})], 1)] == [1]


def test_images_side_by_side_give_what_one_alone_gives(small_field, small_command, small_results, tmp_path):
    good, bad = tmp_path / "good.fits", tmp_path / "bad.fits"
    shutil.copy(small_field.image, good)
    shutil.copy(small_field.weights, bad)
    out = tmp_path / "out"
    words = [str(bad), str(good), *small_command[1:], "--output-dir", str(out), "--jobs", "2"]
    done = subprocess.run([sys.executable, str(PROGRAM), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "bad: error: bad.fits" in done.stderr
    assert "good: noise maps" in done.stderr
    assert (out / "good_results" / products.MASTER).read_bytes() == (small_results / products.MASTER).read_bytes()
    states = {name: json.loads((out / f"{name}_results/run.json").read_text())["state"] for name in ("good", "bad")}
    assert states == {"good": "complete", "bad": "failed"}
    # the parent writes what is complete into the database
    assert done.stderr.count("rows in the") == 1


def test_a_fault_in_one_image_does_not_stop_the_others(small_field, small_command, tmp_path, monkeypatch, capfd):
    faulty, good = tmp_path / "faulty.fits", tmp_path / "good.fits"
    for path in (faulty, good):
        shutil.copy(small_field.image, path)
    done = []

    def run(path, config, folder):
        if path == faulty:
            raise ZeroDivisionError("a fault of the program")
        done.append(path)
        return pipeline.empty(pipeline.CROSSMATCHES)

    monkeypatch.setattr(pipeline, "run_image", run)
    words = [str(faulty), str(good), *small_command[1:], "--output-dir", str(tmp_path / "out"), "--db-inject", "no"]
    assert process_askap_image(words) == 1
    assert done == [good]
    said = capfd.readouterr().err
    assert "unexpected ZeroDivisionError: a fault of the program (the traceback is in" in said
    log = (tmp_path / "out/faulty_results/processASKAPimage.log").read_text()
    assert "Traceback" in log


@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_a_senseless_number_of_jobs_is_refused(jobs, small_command):
    assert process_askap_image([*small_command, "--jobs", jobs]) == 2
