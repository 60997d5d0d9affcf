from __future__ import annotations

import gzip
import io
import json
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from journeylib.data import sample
from journeylib.data.project import read_project
from journeylib.data.sample import CUSTOMERS, SEED, make_sample
from journeylib.data.sample_customers import PERSONAS
from journeylib.data.sample_draws import QUARTERS
from journeylib.data.sample_files import append_days, append_rows
from journeylib.data.sample_journeys import MENDED_ON

COMMITTED = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("sample") / "shop")


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def read_all(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unpack(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in files.items()}


# The same bytes


def test_the_same_customers_and_seed_give_the_same_bytes_on_any_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_all(make_sample(tmp_path / "a", customers=60, seed=3))
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert read_all(make_sample(tmp_path / "b", customers=60, seed=3)) == first


def test_another_seed_gives_other_journeys_answers_and_orders(tmp_path: Path) -> None:
    first, second = (
        unpack(read_all(make_sample(tmp_path / str(seed), customers=60, seed=seed))) for seed in (3, 4)
    )
    same = {name for name in first if first[name] == second.get(name)}
    # A touchpoint whose event nobody met has no pattern, which so few customers may differ in.
    assert same - {"touchpoints.csv"} == {
        "journey.toml",
        "survey_codebook.csv",
        "changes.csv",
        "actions.csv",
        "demo_key.txt",
    }


def test_data_sample_is_what_the_default_seed_gives(folder: Path) -> None:
    made, committed = read_all(folder), read_all(COMMITTED)
    assert unpack(made) == unpack(committed)
    if "ng" not in zlib.ZLIB_RUNTIME_VERSION:  # another zlib packs the same text into other bytes
        assert made == committed


def test_packed_files_hold_no_time_and_no_name(folder: Path) -> None:
    heads = {path.read_bytes()[:10] for path in (folder / "raw" / "clicks").glob("*.gz")}
    assert heads == {b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"}


def test_lines_end_in_a_line_feed_alone(folder: Path) -> None:
    for name, data in unpack(read_all(folder)).items():
        assert b"\r" not in data, name
        assert data.endswith(b"\n"), name


def test_all_files_together_stay_under_three_megabytes(folder: Path) -> None:
    sizes = {name: len(data) for name, data in read_all(folder).items()}
    clicks = {name: size for name, size in sizes.items() if name.startswith("raw/clicks/")}
    assert sum(sizes.values()) < 3_000_000 and sum(clicks.values()) < 1_500_000
    assert len(clicks) == 740  # eight quarters and ten days


def test_there_are_about_twenty_two_events_a_customer(truth: dict) -> None:
    assert 20 <= truth["rows"]["raw/clicks/*.csv.gz"] / CUSTOMERS <= 24


# The project


def test_the_project_is_accepted_by_the_kit(folder: Path) -> None:
    project = read_project(folder)
    assert {source.table for source in project.sources} == {
        "events",
        "orders",
        "service_contacts",
        "customers",
        "exposures",
        "survey",
    }
    assert [source.period.label for source in project.sources_of("survey")] == list(QUARTERS)
    assert {funnel.name: funnel.unit for funnel in project.funnels} == {
        "purchase": "people",
        "session_purchase": "sessions",
    }
    assert set(project.targets) == {"nps", "conversion_rate"}


def test_a_sample_of_one_customer_is_a_valid_project(tmp_path: Path) -> None:
    assert read_project(make_sample(tmp_path / "one", customers=1)).slug == "sample"


def test_the_change_that_is_declared_is_the_one_that_is_planted(folder: Path) -> None:
    changes = pd.read_csv(folder / "changes.csv").set_index("change")
    assert changes.loc["Payment page works on phones", "started_on"] == MENDED_ON


def test_every_effect_says_where_it_is_seen_by_what_formula_and_with_what_power(truth: dict) -> None:
    keys = {"name", "where", "period", "against", "truth", "formula", "tested_at", "power"}
    for effect in truth["effects"]:
        assert keys <= effect.keys(), effect["name"]
        assert effect["power"] >= 0.9 and effect["tested_at"] in (2000, 20000), effect["name"]
        assert effect["period"] in QUARTERS and effect["against"] in ("", "previous", "year_ago")
    for calm in truth["non_differences"]:
        assert calm.keys() >= {"name", "where", "period", "against", "why"}


def test_no_row_is_planted_both_to_change_and_not_to(truth: dict) -> None:
    def place(one: dict) -> tuple:
        return one["where"].get("metric"), one["where"].get("item"), one["where"].get("segment")

    clicks = [one for one in truth["effects"] if "session_purchase" in one["where"].get("item", "")]
    for effect in clicks:
        for calm in truth["non_differences"]:
            same = place(effect) == place(calm) and effect["period"] == calm["period"]
            assert not (same and effect["against"] == calm["against"]), effect["name"]


def test_truth_names_the_persona_of_each_customer_once(folder: Path) -> None:
    said = pd.read_csv(folder / "truth_personas.csv.gz")
    crm = pd.read_csv(folder / "raw" / "crm" / "kunden.csv", encoding="latin-1")
    assert said["customer"].tolist() == crm["Kundennummer"].tolist()
    shares = said["persona"].value_counts(normalize=True)
    for persona in PERSONAS:
        assert shares[persona.name] == pytest.approx(persona.share, abs=0.04)


def test_it_says_first_that_the_data_are_made_up(folder: Path, truth: dict) -> None:
    assert (folder / "README.txt").read_text(encoding="utf-8").startswith("THESE DATA ARE MADE UP.")
    assert (truth["made_up"], truth["customers"], truth["seed"]) == (True, CUSTOMERS, SEED)


# Size, blocks, folders


def test_blocks_of_customers_join_into_one_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "_BLOCK", 30)
    folder = make_sample(tmp_path / "blocks", customers=70, seed=5)
    crm = pd.read_csv(folder / "raw" / "crm" / "kunden.csv", encoding="latin-1")
    assert crm["Kundennummer"].nunique() == len(crm) == 70
    clicks = pd.concat([pd.read_csv(file, dtype=str) for file in (folder / "raw" / "clicks").glob("*.gz")])
    assert "event_id" not in set(clicks["event_id"])  # one header a file
    twice = clicks[clicks["event_id"].duplicated(keep=False)]
    assert (twice.groupby("event_id")["device"].nunique() == 1).all()
    owners = clicks.dropna(subset=["user_id"]).groupby("device")["user_id"].nunique()
    assert owners.max() == 1
    orders = pd.read_csv(folder / "raw" / "orders" / "orders.csv", sep=";", dtype=str)
    assert orders["Bestellnr"].str[:2].value_counts().size == 3  # each block has numbers of its own


def test_a_folder_that_holds_anything_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="other things"):
        make_sample(tmp_path, customers=5)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (make_sample(tmp_path / "empty", customers=5) / "journey.toml").is_file()


def test_a_sample_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = make_sample(tmp_path / "shop", customers=20, seed=1)
    (folder / "raw" / "stale.csv").write_text("old")
    make_sample(folder, customers=20, seed=2)
    assert read_all(folder) == read_all(make_sample(tmp_path / "fresh", customers=20, seed=2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "shop"]


def test_a_sample_with_a_file_of_the_users_own_is_refused(tmp_path: Path) -> None:
    folder = make_sample(tmp_path / "shop", customers=5)
    (folder / "notes.txt").write_text("mine")
    before = read_all(folder)
    with pytest.raises(FileExistsError, match="other things"):
        make_sample(folder, customers=5, seed=2)
    assert read_all(folder) == before


def test_when_replacing_fails_the_old_sample_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_all(make_sample(tmp_path / "shop", customers=5))

    def fail(**_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(sample, "describe_truth", fail)
    with pytest.raises(OSError, match="No space"):
        make_sample(tmp_path / "shop", customers=5, seed=2)
    assert read_all(tmp_path / "shop") == before and [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_when_writing_fails_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(sample, "describe_truth", fail)
    with pytest.raises(OSError, match="No space"):
        make_sample(tmp_path / "new", customers=5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("customers", "seed"), [(0, 1), (-1, 1), (1, -1)])
def test_no_customers_or_a_negative_seed_is_refused(tmp_path: Path, customers: int, seed: int) -> None:
    with pytest.raises(ValueError, match="customers"):
        make_sample(tmp_path / "new", customers=customers, seed=seed)
    assert list(tmp_path.iterdir()) == []


# Writing


def test_rows_are_appended_below_one_header_also_in_gzip(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.csv.gz"
    for cells in (["1", "ä"], ["2", "x,y"]):
        append_rows(path, pd.DataFrame([cells], columns=["a", "b"]))
    assert gzip.decompress(path.read_bytes()).decode("utf-8") == 'a,b\n1,ä\n2,"x,y"\n'
    assert len(pd.read_csv(io.BytesIO(path.read_bytes()), compression="gzip")) == 2


def test_lines_go_to_the_file_of_their_day_below_one_header(tmp_path: Path) -> None:
    import pyarrow as pa

    lines = pa.array(["x\n", "1\n", "ä\n", "3\n"]).slice(1)
    for _ in range(2):
        append_days(tmp_path, "a_{day}.csv.gz", lines, header="n\n", days=np.array([0, 0, 2]))
    found = {path.name: gzip.decompress(path.read_bytes()).decode() for path in sorted(tmp_path.iterdir())}
    assert found == {"a_1970-01-01.csv.gz": "n\n1\nä\n1\nä\n", "a_1970-01-03.csv.gz": "n\n3\n3\n"}
