"""The engine takes no more than it is given, and puts the rest where it is told."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from journeylib.data.problems import ArgumentError
from journeylib.journey.engine import connect_engine, use_engine
from journeylib.review.opening import open_review


def read_setting(name: str) -> str:
    return str(connect_engine().execute(f"SELECT current_setting('{name}')").fetchall()[0][0])


@pytest.fixture(autouse=True)
def as_before():
    before = read_setting("memory_limit")
    yield
    use_engine(memory_limit=before.replace(" ", ""))


def test_limit_and_spill_folder_are_set_and_what_is_empty_stays(tmp_path):
    use_engine(memory_limit="1GB", spill=tmp_path / "made" / "spill")
    use_engine()
    assert read_setting("memory_limit") == "953.6 MiB"
    assert read_setting("temp_directory") == str(tmp_path / "made" / "spill")
    assert (tmp_path / "made" / "spill").is_dir()
    assert read_setting("preserve_insertion_order").lower() == "false"


@pytest.mark.parametrize("amount", ["much", "-1GB", "1 parsec"])
def test_an_amount_that_is_none_is_refused_in_a_sentence(amount):
    with pytest.raises(ArgumentError, match="memory_limit must be an amount"):
        use_engine(memory_limit=amount)


def test_a_review_s_settings_reach_the_chapters_processes(tmp_path, monkeypatch):
    project = tmp_path / "shop"
    project.mkdir()
    times = pd.date_range("2026-01-01", periods=90, freq="D").strftime("%Y-%m-%dT10:00:00Z")
    clicks = pd.DataFrame({"customer": "a", "occurred_at": times, "name": "view"})
    clicks.to_csv(project / "clicks.csv", index=False)
    (project / "journey.toml").write_text(
        '[project]\nname = "Shop"\n[sources.events.web]\npath = "clicks.csv"\n'
        "[sources.events.web.columns]\n"
        'customer = "customer"\noccurred_at = "occurred_at"\nname = "name"\n'
        f'[engine]\nmemory_limit = "2GB"\nspill = {json.dumps(str(tmp_path / "spill"))}\n'
    )
    monkeypatch.setenv("JOURNEY_KEY", "k" * 32)
    review = open_review(project, period="2026Q1")
    use_engine(memory_limit="3GB")
    open_review(review.tables.folder)
    assert read_setting("memory_limit") == "1.8 GiB"
    assert read_setting("temp_directory") == str(tmp_path / "spill")


# Last, since the folder can not be changed any more once it was used.
def test_a_sort_beyond_the_limit_goes_to_the_spill_folder(tmp_path):
    use_engine(memory_limit="100MB", spill=tmp_path)
    rows = connect_engine().sql("SELECT hash(i) AS h, i, i * 2 AS j FROM range(8_000_000) t(i) ORDER BY h")
    seen = 0
    for batch in rows.to_arrow_reader(100_000):
        seen += len(batch)
        if any(tmp_path.iterdir()):
            break
    assert any(tmp_path.iterdir()), "nothing was spilled"
    assert 0 < seen <= 8_000_000
