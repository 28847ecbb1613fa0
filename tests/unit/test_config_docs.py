"""The generated texts fit the options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from racs_transients.arguments import OPTIONS, spelled
from racs_transients.config import Config
from racs_transients.config_docs import (
    BEGIN,
    END,
    KEYS_BEGIN,
    KEYS_END,
    example_ini,
    main,
    options_table,
    with_survey_keys,
    with_table,
)
from racs_transients.options import parse_options

ROOT = Path(__file__).parents[2]
REGENERATE = "python -m racs_transients.config_docs --write"


def test_example_ini_is_not_stale() -> None:
    assert (ROOT / "example.ini").read_text(encoding="utf-8") == example_ini(), REGENERATE


def test_option_table_of_the_readme_is_not_stale() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_table(readme) == readme, REGENERATE


def test_table_of_survey_keys_is_not_stale() -> None:
    pipeline = (ROOT / "PIPELINE.md").read_text(encoding="utf-8")
    assert with_survey_keys(pipeline) == pipeline, REGENERATE


@pytest.mark.parametrize("uncommented", [False, True])
def test_example_ini_is_the_default_configuration(
    uncommented: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RACS_TRANSIENTS_VIZIER_URL", raising=False)
    text = example_ini()
    if uncommented:
        text = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
        assert set(re.findall(r"^(\w+) = ", text, flags=re.MULTILINE)) == {"images", *OPTIONS}
    (tmp_path / "field.fits").touch()
    (tmp_path / "run.ini").write_text(text, encoding="utf-8")
    parsed = parse_options([str(tmp_path / "field.fits"), "-c", str(tmp_path / "run.ini")])
    assert parsed.config == Config(images=(tmp_path / "field.fits",))
    assert parsed.warnings == ()


def test_table_has_one_row_for_each_option() -> None:
    rows = re.findall(r"^\| `(--[\w-]+)` \|", options_table(), flags=re.MULTILINE)
    assert rows == [spelled(name) for name in OPTIONS]
    # unescaped bars would add cells
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in options_table().splitlines() if line.startswith("|")} == {5}


def test_stale_texts_are_named_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    (tmp_path / "PIPELINE.md").write_text(f"before\n{KEYS_BEGIN}\nold\n{KEYS_END}\nafter\n", encoding="utf-8")
    assert main(["--root", str(tmp_path)]) == 1
    stale = re.findall(r"^(\S+) is stale", capsys.readouterr().err, flags=re.MULTILINE)
    assert stale == ["example.ini", "README.md", "PIPELINE.md"]
    assert main(["--root", str(tmp_path), "--write"]) == 0
    assert main(["--root", str(tmp_path)]) == 0
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "old" not in text.splitlines()


def test_readme_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="options:begin"):
        with_table("nothing here")
