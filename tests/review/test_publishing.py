"""Publishing: a reader sees the whole old report or the whole new one, wherever a run is killed."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from journeylib.review import publishing
from journeylib.review.publishing import (
    RunFailed,
    hold_lock,
    hold_scratch_folder,
    publish_folder,
    restore_report,
    restore_reports,
)

FILES = ("findings.csv", "manifest.json", "review.html", "tables/rows.csv")


class Killed(BaseException):
    """Stands for SIGKILL: no except clause of the package catches it."""


def make_folder(folder: Path, text: str) -> Path:
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def read_report(place: Path) -> str:
    """Return the text that every file of a report holds; '' where there is no report, or half a one."""
    texts = {(place / name).read_text() if (place / name).is_file() else "" for name in FILES}
    return texts.pop() if len(texts) == 1 else ""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "shop" / ".versions").mkdir(parents=True)
    return tmp_path / "shop" / "2024Q3"


@pytest.fixture
def refuse_links(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make links impossible, as on Windows without the right to make them, and on some network drives."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "A required privilege is not held by the client")

    return lambda: monkeypatch.setattr(Path, "symlink_to", refuse)


def publish(place: Path, text: str) -> None:
    work = place.parent / ".versions" / "run-1"
    shutil.rmtree(work, ignore_errors=True)
    publish_folder(make_folder(work / "report", text), place)


@contextmanager
def stop_at(step: int, error: BaseException) -> Iterator[list[str]]:
    """Raise in place of the step-th change to the file system; a folder is removed half-way at that step."""
    seen: list[str] = []
    patch = pytest.MonkeyPatch()

    def watch(owner: object, name: str) -> None:
        original = getattr(owner, name)

        def call(*words: object, **options: object) -> object:
            seen.append(f"{name} {words[0]}")
            if len(seen) == step:
                if name == "rmtree":
                    for path in sorted(Path(str(words[0])).rglob("*.html")):
                        os.remove(path)
                raise error
            return original(*words, **options)

        patch.setattr(owner, name, call)

    for owner, name in ((Path, "rename"), (Path, "symlink_to"), (Path, "unlink"), (os, "replace")):
        watch(owner, name)
    watch(shutil, "rmtree")
    watch(os, "fsync")
    try:
        yield seen
    finally:
        patch.undo()


def count_steps(place: Path) -> int:
    with stop_at(-1, Killed()) as seen:
        publish_folder(place.parent / ".versions" / "run-1" / "report", place)
    return len(seen)


def prepare(place: Path, kind: str, refuse_links: Callable[[], None]) -> None:
    """Leave an old report as a link, as a plain folder, or as a link where links can't be made any more."""
    if kind.startswith("plain"):
        make_folder(place, "old")
    else:
        publish(place, "old")
    if kind.endswith("no links"):
        refuse_links()
    make_folder(place.parent / ".versions" / "run-1" / "report", "new")


KINDS = ["link", "plain", "plain, no links", "link, no links"]


def test_a_first_report_appears_whole_and_leaves_nothing_beside_it(place):
    publish(place, "new")
    assert read_report(place) == "new"
    assert [path.name for path in (place.parent / ".versions").iterdir() if "@" in path.name] == ["2024Q3@1"]
    assert place.is_symlink() and not os.path.isabs(os.readlink(place)), "a moved OUT must keep its reports"


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_report_replaces_an_old_one_however_that_stands_there(place, refuse_links, kind):
    prepare(place, kind, refuse_links)
    publish_folder(place.parent / ".versions" / "run-1" / "report", place)
    assert read_report(place) == "new"
    assert place.is_symlink() == (not kind.endswith("no links"))
    left = [path.name for path in (place.parent / ".versions").iterdir() if path.name != "run-1"]
    assert len(left) == (1 if place.is_symlink() else 0), left


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_step_the_old_or_the_new_report_is_whole_after_the_next_run_begins(
    place, refuse_links, kind, tmp_path
):
    prepare(place, kind, refuse_links)
    shutil.copytree(tmp_path / "shop", tmp_path / "before", symlinks=True)
    steps = count_steps(place)
    assert steps > 8
    for step in range(1, steps + 1):
        shutil.rmtree(tmp_path / "shop")
        shutil.copytree(tmp_path / "before", tmp_path / "shop", symlinks=True)
        with stop_at(step, Killed()) as seen, pytest.raises(Killed):
            publish_folder(place.parent / ".versions" / "run-1" / "report", place)
        missing = not os.path.lexists(place)
        if kind == "link":
            assert read_report(place) in ("old", "new"), f"no moment without a report: {seen[-1]}"
        restored = restore_reports(place.parent)
        assert read_report(place) in ("old", "new"), seen[-1]
        if missing:
            assert restored == ["2024Q3"]
        publish(place, "third")
        assert read_report(place) == "third"


@pytest.mark.parametrize("kind", KINDS)
def test_killed_while_it_is_put_back_the_report_comes_back_with_the_run_after_that(
    place, refuse_links, kind, tmp_path
):
    prepare(place, kind, refuse_links)
    # The worst moment of a run without links: the old report stands aside, the new one is not in place.
    if place.is_symlink():
        place.unlink()
    else:
        place.rename(place.parent / ".versions" / "2024Q3.old")
    shutil.copytree(tmp_path / "shop", tmp_path / "before", symlinks=True)
    with stop_at(-1, Killed()) as seen:
        assert restore_report(place)
    for step in range(1, len(seen) + 1):
        shutil.rmtree(tmp_path / "shop")
        shutil.copytree(tmp_path / "before", tmp_path / "shop", symlinks=True)
        with stop_at(step, Killed()), pytest.raises(Killed):
            restore_report(place)
        restore_report(place)
        assert read_report(place) == "old"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_where_the_file_system_refuses_a_step_nothing_was_replaced(
    place, refuse_links, kind, number, tmp_path
):
    prepare(place, kind, refuse_links)
    shutil.copytree(tmp_path / "shop", tmp_path / "before", symlinks=True)
    steps = count_steps(place)
    for step in range(1, steps + 1):
        shutil.rmtree(tmp_path / "shop")
        shutil.copytree(tmp_path / "before", tmp_path / "shop", symlinks=True)
        failed = False
        with stop_at(step, OSError(number, os.strerror(number))) as seen:
            try:
                publish_folder(place.parent / ".versions" / "run-1" / "report", place)
            except OSError:
                failed = True
        assert read_report(place) == ("old" if failed else "new"), f"{seen[-1]} failed={failed}"


def test_a_version_that_was_finished_goes_before_the_one_that_it_was_to_replace(place):
    versions = place.parent / ".versions"
    make_folder(versions / "2024Q3@9", "old")
    make_folder(versions / "2024Q3@10", "new")
    make_folder(versions / "2024Q3.old", "older")
    assert restore_report(place)
    assert read_report(place) == "new"
    assert [path.name for path in versions.iterdir()] == ["2024Q3@10"]


def test_half_a_version_is_never_put_back(place):
    (place.parent / ".versions" / "2024Q3@3").mkdir()
    make_folder(place.parent / ".versions" / "2024Q3@2", "old")
    assert restore_report(place)
    assert read_report(place) == "old"


def test_a_link_that_points_at_nothing_is_no_report(place, refuse_links):
    place.symlink_to(Path(".versions") / "2024Q3@7")
    refuse_links()
    make_folder(place.parent / ".versions" / "2024Q3.old", "old")
    assert restore_reports(place.parent) == ["2024Q3"]
    assert read_report(place) == "old"


def test_what_a_killed_run_left_of_one_period_is_cleared_and_others_stay(place):
    publish(place, "third quarter")
    year = place.parent / "2024"
    publish(year, "year")
    make_folder(place.parent / ".versions" / "2024Q3@5", "never shown")
    assert restore_reports(place.parent) == []
    assert (read_report(place), read_report(year)) == ("third quarter", "year")
    kept = [path.name for path in (place.parent / ".versions").iterdir() if "@" in path.name]
    assert sorted(kept) == ["2024@1", "2024Q3@1"]


def test_a_file_in_the_reports_place_is_no_obstacle(place):
    place.write_text("a file")
    publish(place, "new")
    assert read_report(place) == "new"


def test_a_system_without_fsync_of_folders_publishes_all_the_same(place, monkeypatch):
    def refuse(_: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse)
    publish(place, "new")
    assert read_report(place) == "new"


def test_a_second_run_is_told_that_another_one_is_writing(place):
    with hold_lock(place.parent / "run"):
        with pytest.raises(RunFailed, match="another run is writing to .*shop; wait until it ends"):
            with hold_lock(place.parent / "run"):
                raise AssertionError("two runs at a time")
    with hold_lock(place.parent / "run"):
        pass


def test_the_lock_of_a_killed_process_is_free(place):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom journeylib.review.publishing import hold_lock\n"
        "with hold_lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(place.parent / "run")], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(RunFailed, match="another run"), hold_lock(place.parent / "run"):
            pass
        holder.kill()
        holder.wait()
    with hold_lock(place.parent / "run"):
        pass


@pytest.mark.parametrize("out", ["a file", "in /proc", "in a file"])
def test_an_out_that_nothing_can_be_written_to_is_one_sentence(tmp_path, out):
    (tmp_path / "file").write_text("")
    places = {
        "a file": tmp_path / "file" / "shop",
        "in /proc": Path("/proc/reports/shop"),
        "in a file": tmp_path / "file" / "deeper" / "shop",
    }
    if out == "in /proc" and not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    with pytest.raises(RunFailed, match=r"can't write to .*shop \(.+\); choose another --out$"):
        with hold_lock(places[out] / "run"):
            pass


def test_a_file_system_without_locks_is_one_sentence(place, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(publishing.FileLock, "acquire", refuse)
    with pytest.raises(RunFailed, match="can't write to .*flock"), hold_lock(place.parent / "run"):
        pass


def test_a_scratch_folder_goes_at_the_end_also_where_the_work_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), hold_scratch_folder(tmp_path, prefix="made-") as folder:
        (folder / "big.parquet").write_text("x")
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_the_next_run_clears_a_dead_runs_scratch_folder_and_no_other(tmp_path):
    dead, other = tmp_path / "made-dead", tmp_path / "made-by-hand"
    for folder in (dead, other):
        folder.mkdir()
    (dead / publishing.ALIVE).write_text("")
    with hold_scratch_folder(tmp_path, prefix="made-") as living:
        long_ago = time.time() - 3600
        for folder in (dead, other, living):
            os.utime(folder, (long_ago, long_ago))
        with hold_scratch_folder(tmp_path, prefix="made-"):
            assert not dead.exists() and other.exists() and living.exists()
