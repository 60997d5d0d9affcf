"""Publishing all or nothing: a new report replaces the old in one step; a killed run leaves the old."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = [
    "RunFailed",
    "hold_lock",
    "hold_scratch_folder",
    "publish_folder",
    "restore_report",
    "restore_reports",
]

VERSIONS = ".versions"
ALIVE = "alive.lock"
YOUNG_SECONDS = 60  # a folder may be a moment old before its lock is held
CANT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM)


class RunFailed(Exception):
    """Something failed while running: exit code 1 and this sentence; nothing was replaced."""


@contextmanager
def hold_lock(place: Path) -> Iterator[None]:
    """Hold the only right to write reports of a project; it ends with the process, however that ends.

    Parameters
    ----------
    place : Path
        A path in the folder OUT/<slug>; its last part names the lock.

    Yields
    ------
    None
        While the lock is held.

    Raises
    ------
    RunFailed
        If another run holds it, or nothing can be written there.
    """
    work = place.parent / VERSIONS
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(work / f"{place.name}.lock")
        lock.acquire(timeout=0)
    except Timeout:
        where = place.parent.as_posix()
        raise RunFailed(
            f"another run is writing to {where}; wait until it ends, or choose another --out"
        ) from None
    except (OSError, NotImplementedError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise RunFailed(f"can't write to {place.parent.as_posix()} ({said}); choose another --out") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def hold_scratch_folder(base: Path, *, prefix: str) -> Iterator[Path]:
    """Hold a temporary folder that goes at the end, or with the next run where this one is killed.

    Parameters
    ----------
    base : Path
        Where the folder is made.
    prefix : str
        How its name begins; folders of that name that no living process holds are removed.

    Yields
    ------
    Path
        The new folder.
    """
    for left in base.glob(f"{prefix}*"):
        with suppress(OSError, Timeout):
            if time.time() - left.stat().st_mtime > YOUNG_SECONDS and (left / ALIVE).is_file():
                with FileLock(left / ALIVE).acquire(timeout=0):
                    pass
                shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    lock = FileLock(folder / ALIVE)
    try:
        lock.acquire(timeout=0)
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def restore_report(place: Path) -> bool:
    """Put the last good report back where a killed run left none, and clear what the killed run left.

    Parameters
    ----------
    place : Path
        The report's folder; the lock must be held.

    Returns
    -------
    bool
        Whether a report had to be put back.
    """
    versions = place.parent / VERSIONS
    restored = False
    kept = [*versions.glob(f"{place.name}@*"), *versions.glob(f"{place.name}.old")]
    if not place.exists():
        good = [path for path in kept if (path / "manifest.json").is_file()]
        if good:
            _remove(place)  # a link that points at nothing
            _point(place, max(good, key=_newest_first))
            restored = True
    current = place.resolve() if place.exists() else None
    for path in kept:
        if path.exists() and path.resolve() != current:
            _remove(path)
    _remove(versions / f"{place.name}.link")
    return restored


def restore_reports(folder: Path) -> list[str]:
    """Put back every report of a project that a killed run left missing.

    Parameters
    ----------
    folder : Path
        OUT/<slug>; the lock must be held.

    Returns
    -------
    list of str
        The periods whose report had to be put back.
    """
    left = [*(folder / VERSIONS).glob("*@*"), *(folder / VERSIONS).glob("*.old")]
    names = sorted({path.name.removesuffix(".old").partition("@")[0] for path in left})
    return [name for name in names if restore_report(folder / name)]


def _newest_first(version: Path) -> tuple[bool, int]:
    """Return the order of versions: one that was finished goes before the one that it was to replace."""
    number = version.name.rpartition("@")[2]
    return number.isdigit(), int(number) if number.isdigit() else 0


def publish_folder(made: Path, place: Path) -> None:
    """Replace a report by a new one.

    Parameters
    ----------
    made : Path
        The finished folder, in the same file system, complete to the last file.
    place : Path
        Where readers look: a link that is swapped in one step; where links can't be made, a folder that is
        renamed into place while the old one waits beside it.

    Raises
    ------
    OSError
        If the file system refuses; the old report is where it was.
    """
    versions = place.parent / VERSIONS
    _flush(made)
    numbers = [path.name.rpartition("@")[2] for path in versions.glob(f"{place.name}@*")]
    version = versions / f"{place.name}@{1 + max((int(one) for one in numbers if one.isdigit()), default=0)}"
    made.rename(version)
    _point(place, version)
    with suppress(OSError):  # the report is published; what is left over goes with the next run
        _sync(place.parent)
        for path in [*versions.glob(f"{place.name}@*"), versions / f"{place.name}.old"]:
            if path != version:
                _remove(path)


def _point(place: Path, version: Path) -> None:
    """Let readers see a version in place of what they see now."""
    old = place.parent / VERSIONS / f"{place.name}.old"
    link = place.parent / VERSIONS / f"{place.name}.link"
    _remove(link)
    try:
        link.symlink_to(Path(VERSIONS) / version.name, target_is_directory=True)
    except (OSError, NotImplementedError):
        linked = False
    else:
        linked = True
    moved = False
    try:
        if os.path.lexists(place) and not (linked and place.is_symlink()):
            # A plain folder can't be replaced in one step; a killed run is mended by `restore_report`.
            if version != old:
                _remove(old)
                place.rename(old)
                moved = True
        if linked:
            os.replace(link, place)
        else:
            version.rename(place)
    except OSError:
        if moved and not os.path.lexists(place):
            old.rename(place)
        _remove(link)
        raise


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder, or nothing where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """Make sure that every file is on the disk before the link points at it."""
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _sync(path: Path) -> None:
    if os.name == "nt":  # a folder can't be opened there
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in CANT_SYNC:
            raise
    finally:
        os.close(handle)
