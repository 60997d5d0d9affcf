"""What is wrong with an input, said in one sentence that a person can act on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = ["ArgumentError", "InputError", "Problem", "say_nearest"]

MOST_LINES = 5


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input: where it stands, what was found and expected, how to mend it."""

    file: str
    found: str
    expected: str
    mend: str
    line: int | None = None
    column: str = ""

    def __str__(self) -> str:
        """Return the sentence that a user reads."""
        where = self.file
        if self.line is not None:
            where += f", line {self.line}"
        if self.column:
            where += f", {self.column}"
        mend = f" To mend it: {self.mend}{'' if self.mend.endswith('?') else '.'}" if self.mend else ""
        return " ".join(f"{where}: found {self.found}; expected {self.expected}.{mend}".split())


class InputError(Exception):
    """Wrong input or configuration: the command ends with exit code 2 and these sentences."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: list[Problem] = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__(str(self))

    def __str__(self) -> str:
        """Return one to five lines: the first problems, and how many more there are."""
        lines = list(dict.fromkeys(str(problem) for problem in self.problems))
        if len(lines) > MOST_LINES:
            more = len(lines) - (MOST_LINES - 1)
            lines = [
                *lines[: MOST_LINES - 1],
                f"... and {more} more of this kind: mend these first, then run journey check.",
            ]
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        """Show the sentences alone in a notebook, without forty lines of traceback."""
        return str(self).splitlines()


class ArgumentError(ValueError):
    """A wrong argument of a function, said in one sentence: a column that is not there, an unknown word."""

    def _render_traceback_(self) -> list[str]:
        """Show the sentence alone in a notebook, without forty lines of traceback."""
        return str(self).splitlines()


def say_nearest(word: str, known: Sequence[str], *, most: int = 12) -> str:
    """Return 'did you mean X' where a known word is near, else the list of known words.

    Parameters
    ----------
    word : str
        What was written.
    known : sequence of str
        What could have been meant.
    most : int
        How many known words are listed at the most.

    Returns
    -------
    str
        A piece of a sentence, without a full stop.

    Examples
    --------
    >>> say_nearest("separater", ["path", "separator"])
    'did you mean separator?'
    """
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    listed = ", ".join(list(known)[:most])
    return (
        f"it has {listed}" + (f" and {len(known) - most} more" if len(known) > most else "")
        if known
        else "it has none"
    )
