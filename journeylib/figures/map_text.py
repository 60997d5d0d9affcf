"""Text on the journey map: how wide it is drawn, and where it breaks."""

from __future__ import annotations

from functools import cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

__all__ = ["VALUE_POINTS", "balance_text", "measure_text", "wrap_text"]

#: The smallest type of the map.
VALUE_POINTS = 8.0


@cache
def measure_text(text: str, points: float, weight: str = "normal") -> float:
    """Measure how wide a text is drawn.

    Parameters
    ----------
    text : str
        One line.
    points : float
        Size of the type.
    weight : str
        normal or bold.

    Returns
    -------
    float
        Inches.
    """
    font = FontProperties(size=points, weight=weight)
    return float(TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]) / 72


def wrap_text(text: str, *, inches: float, points: float, weight: str = "normal") -> tuple[str, ...]:
    """Break a text into lines that are at most so wide; a longer word is broken too.

    Parameters
    ----------
    text : str
        Words with spaces between.
    inches : float
        Room for a line.
    points, weight : float, str
        Size and weight of the type.

    Returns
    -------
    tuple of str
        At least one line.
    """
    lines = [""]
    for word in filter(None, text.split(" ")):
        longer = f"{lines[-1]} {word}".strip()
        if measure_text(longer, points, weight) <= inches:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and measure_text(lines[-1] + letter, points, weight) > inches:
                lines.append("")
            lines[-1] += letter
    return tuple(lines)


def balance_text(text: str, *, inches: float, points: float, weight: str = "normal") -> tuple[str, ...]:
    """Break a text into as few lines as it needs, of much the same length.

    Parameters
    ----------
    text, inches, points, weight : as for `wrap_text`
        Words, room and type.

    Returns
    -------
    tuple of str
        At least one line.
    """
    lines = wrap_text(text, inches=inches, points=points, weight=weight)
    for part in range(95, 50, -5):
        tried = wrap_text(text, inches=inches * part / 100, points=points, weight=weight)
        if len(tried) > len(lines):
            break
        lines = tried
    return lines
