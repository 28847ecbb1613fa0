"""The results folder loses nothing and mixes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from racs_transients.errors import RunFolderError
from racs_transients.runfolder import file_digest, folder_name, image_stem, open_run_folder


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.fits"
    path.write_bytes(b"pixels")
    return path


def _open(path, image, clobber=False):
    return open_run_folder(path, image=image, settings={"a": 1}, command=["test"], clobber=clobber)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.fits", "a"),
        ("a.FITS", "a"),
        ("a.b.fits.gz", "a.b"),
        ("a.FITS.gz", "a"),
        ("a.img", "a.img"),
        ("a.fits.fz", "a"),
    ],
)
def test_results_folder_is_named_after_the_image(name, stem):
    assert image_stem(Path("/x") / name) == stem
    assert folder_name(Path("/x") / name, None) == f"{stem}_results"
    assert folder_name(Path("/x") / name, "tag") == f"{stem}_results_tag"


def test_going_on_keeps_the_run_id(tmp_path, image):
    with _open(tmp_path / "r", image) as first:
        first.finish("complete")
    with _open(tmp_path / "r", image) as second:
        assert second.manifest["run_id"] == first.manifest["run_id"]


def test_clobber_starts_afresh(tmp_path, image):
    with _open(tmp_path / "r", image) as first:
        first.write("a/product.csv", lambda path: path.write_text("old"))
    with _open(tmp_path / "r", image, clobber=True) as second:
        assert second.manifest["run_id"] != first.manifest["run_id"]
        assert not (tmp_path / "r/a").exists()


def test_results_of_another_image_are_refused_and_kept(tmp_path, image):
    with _open(tmp_path / "r", image) as folder:
        folder.write("product.csv", lambda path: path.write_text("old"))
    other = tmp_path / "other.fits"
    other.write_bytes(b"other pixels")
    with pytest.raises(RunFolderError, match=r"another image .*image\.fits.*--clobber"), _open(tmp_path / "r", other):
        pass
    assert (tmp_path / "r/product.csv").read_text() == "old"


def test_an_image_that_was_cut_off_is_processed_once_it_is_whole(tmp_path, image):
    with pytest.raises(ValueError, match="truncated"), _open(tmp_path / "r", image) as first:
        raise ValueError("truncated")
    image.write_bytes(b"the whole image")
    with _open(tmp_path / "r", image) as second:
        second.write("product.csv", lambda path: path.write_text("old"))
        second.add_product("product.csv", "master")
        second.finish("complete")
    assert second.manifest["run_id"] != first.manifest["run_id"]
    # a later run that fails at once leaves the products of the one before it
    with pytest.raises(KeyboardInterrupt), _open(tmp_path / "r", image) as third:
        raise KeyboardInterrupt
    assert third.manifest["error"] == "interrupted"
    image.write_bytes(b"another image")
    with pytest.raises(RunFolderError, match="another image"), _open(tmp_path / "r", image):
        pass


@pytest.mark.parametrize("clobber", [False, True])
def test_a_folder_that_is_not_ours_is_never_touched(tmp_path, image, clobber):
    (tmp_path / "r").mkdir()
    (tmp_path / "r/thesis.tex").write_text("precious")
    with pytest.raises(RunFolderError, match="no results folder"), _open(tmp_path / "r", image, clobber):
        pass
    assert (tmp_path / "r/thesis.tex").read_text() == "precious"


def test_a_folder_in_use_is_refused(tmp_path, image):
    with _open(tmp_path / "r", image), pytest.raises(RunFolderError, match="in use"), _open(tmp_path / "r", image):
        pass


def test_a_failed_write_leaves_the_old_product(tmp_path, image):
    def broken(path):
        path.write_text("half")
        raise ValueError("broken")

    with _open(tmp_path / "r", image) as folder:
        folder.write("t.csv", lambda path: path.write_text("whole"))
        with pytest.raises(ValueError, match="broken"):
            folder.write("t.csv", broken)
        assert (folder.path / "t.csv").read_text() == "whole"
        assert sorted(p.name for p in folder.path.iterdir() if p.suffix == ".csv") == ["t.csv"]


def test_costly_stages_run_again_only_for_other_inputs(tmp_path, image):
    made = []
    with _open(tmp_path / "r", image) as folder:
        for inputs in ({"seed": 5}, {"seed": 5}, {"seed": 6}):
            cache, reused = folder.cached("find", inputs, lambda target: made.append((target / "x").write_text("1")))
            assert (cache / "x").exists()
        assert len(made) == 2
        assert not reused


@pytest.mark.parametrize("newer", [{"version": "9.9"}, {"versions": {"AegeanTools": "9.9"}}])
def test_costly_stages_run_again_with_another_version(tmp_path, image, newer):
    with _open(tmp_path / "r", image) as folder:
        folder.cached("find", 1, lambda target: None)
        assert folder.cached("find", 1, lambda target: None)[1]
        folder.manifest |= newer
        assert not folder.cached("find", 1, lambda target: None)[1]


def test_tables_that_a_run_with_other_options_does_not_have_are_removed(tmp_path, image):
    def run(names, state="complete", given=()):
        with _open(tmp_path / "r", image) as folder:
            for name in given:
                folder.record_input(name, folder.path / name)
            for name in names:
                folder.write(name, lambda path: path.write_text("1"))
                folder.add_product(name, "log")
            folder.finish(state)
        return sorted(p.name for p in (tmp_path / "r").iterdir() if p.suffix in {".csv", ".png", ".txt"})

    assert run(["a.csv", "b.csv", "c.png"]) == ["a.csv", "b.csv", "c.png"]
    (tmp_path / "r/mine.csv").write_text("of the user")
    # a run that fails removes nothing, and the next one remembers
    assert run(["a.csv"], "failed") == ["a.csv", "b.csv", "c.png", "mine.csv"]
    assert run(["a.csv"]) == ["a.csv", "c.png", "mine.csv"]
    assert run(["b.csv"], given=["a.csv"]) == ["a.csv", "b.csv", "c.png", "mine.csv"]


def test_a_stage_that_fails_leaves_no_cache(tmp_path, image):
    def broken(target):
        (target / "half").write_text("1")
        raise ValueError("broken")

    with _open(tmp_path / "r", image) as folder:
        with pytest.raises(ValueError, match="broken"):
            folder.cached("find", 1, broken)
        assert list((folder.path / ".cache").iterdir()) == []


def test_an_error_is_noted_in_the_manifest(tmp_path, image):
    with pytest.raises(RunFolderError), _open(tmp_path / "r", image):
        raise RunFolderError("no good")
    manifest = json.loads((tmp_path / "r/run.json").read_text())
    assert (manifest["state"], manifest["error"]) == ("failed", "no good")
    assert manifest["image"]["sha256"] == file_digest(image)


def test_an_unwritable_place_is_one_sentence(tmp_path, image):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunFolderError, match="Cannot write"), _open(tmp_path / "file/r", image):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence(tmp_path, image):
    def onto_full_disk(path):
        with open("/dev/full", "w") as stream:  # noqa: PTH123
            stream.write("x" * 100000)

    with _open(tmp_path / "r", image) as folder, pytest.raises(RunFolderError, match="No space is left"):
        folder.write("t.csv", onto_full_disk)


def test_a_full_disk_told_in_words_of_a_library_is_taken_for_one(tmp_path, image):
    def as_numpy_does(path):
        raise OSError("490000 requested and 227296 written")

    with _open(tmp_path / "r", image) as folder, pytest.raises(RunFolderError, match="free space"):
        folder.write("t.npy", as_numpy_does)


def test_a_killed_process_frees_the_folder_and_its_unfinished_stage_goes(tmp_path, image):
    code = (
        "import os,sys\nfrom pathlib import Path\nfrom racs_transients.runfolder import open_run_folder\n"
        "place = dict(image=Path(sys.argv[2]), settings={}, command=[], clobber=False)\n"
        "with open_run_folder(Path(sys.argv[1]), **place) as folder:\n"
        "    folder.cached('whole', 1, lambda path: None)\n"
        "    folder.cached('half', 1, lambda path: (path / 'large').touch() or os._exit(9))\n"
    )
    result = subprocess.run([sys.executable, "-c", code, tmp_path / "r", image], env=os.environ, check=False)
    assert result.returncode == 9
    assert len(list((tmp_path / "r" / ".cache").iterdir())) == 2
    with _open(tmp_path / "r", image) as folder:
        assert folder.manifest["state"] == "running"
        assert [left.name.split("-")[0] for left in (tmp_path / "r" / ".cache").iterdir()] == ["whole"]
