"""Finding the files that a path or a pattern of a source names."""

from __future__ import annotations

from pathlib import Path

__all__ = ["find_files"]


def find_files(path: str, base: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Return the files that a path or a pattern names.

    Parameters
    ----------
    path : str
        A path, or a pattern with ``*``, ``?`` or ``[...]``; a file whose own name holds these goes before it.
    base : Path
        The folder that a relative path starts from.

    Returns
    -------
    tuple of tuples
        The files, sorted, and how they are named in messages: relative, never absolute. Hidden files match no
        pattern.
    """
    inside = not Path(path).is_absolute()
    whole = base / path if inside else Path(path)
    files = [whole] if whole.is_file() else _match_files(whole)
    shown = [
        file.relative_to(base).as_posix() if inside and file.is_relative_to(base) else file.name
        for file in files
    ]
    return tuple(files), tuple(shown)


def _match_files(pattern: Path) -> list[Path]:
    """Return the files that a pattern matches, without hidden ones; none where it is no pattern."""
    places = [place for place, part in enumerate(pattern.parts) if any(mark in part for mark in "*?[")]
    if not places:
        return []
    root, rest = Path(*pattern.parts[: places[0]]), Path(*pattern.parts[places[0] :])
    try:
        found = sorted(root.glob(str(rest)))
    except (ValueError, NotImplementedError, OSError):
        return []
    return [file for file in found if file.is_file() and not file.name.startswith(".")]
