"""Text of an export as times, numbers and flags, in SQL; what can't be read becomes NULL and is counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import duckdb

from journeylib.data.connection import quote_text

__all__ = ["cell_sql", "flag_sql", "integer_sql", "is_date_format", "number_sql", "time_sql"]

CLOCK = re.compile(r"%-?[HIMSTXRrcpfgn]")  # what makes a date format one with a time of day
EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
DAY = r"\d{4}-\d{1,2}-\d{1,2}"
PLAIN_TIME = rf"^{DAY}[ T]\d{{1,2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?$"
ISO_TIME = rf"^{DAY}([ T]\d{{1,2}}:\d{{2}}(:\d{{2}}([.,]\d+)?)?( ?(Z|UTC|[+-]\d{{2}}(:?\d{{2}})?))?)?$"
LONGEST_DAY = 10  # characters of 2026-07-01; whatever an ISO time adds stands after them
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"
# Years 1 to 9999: beyond them neither the engine nor Python has a calendar.
FIRST_US, LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999


def cell_sql(cell: str, *, typed: str = "", odd_blanks: bool = True, outer_spaces: bool = True) -> str:
    """Return SQL of a cell as text without outer blanks, NULL where nothing is left.

    Parameters
    ----------
    cell : str
        SQL of the cell.
    typed : str
        The column's type in a Parquet file. Whole numbers in a column of floats (what pandas makes of
        ids with a gap) lose their ``.0``, so that they equal the same ids elsewhere; NaN is missing.
    odd_blanks : bool
        Whether tabs, line ends and no-break spaces are taken off too; spaces alone are twice as fast.
    outer_spaces : bool
        Whether spaces are taken off; where none can be there, the cell is as the engine gives it.

    Returns
    -------
    str
        SQL of a VARCHAR.
    """
    if typed in ("DOUBLE", "FLOAT"):
        whole = f"{cell} = trunc({cell}) AND abs({cell}) < 9007199254740992"
        return (
            f"CASE WHEN isnan({cell}) THEN NULL WHEN {whole} THEN CAST(CAST({cell} AS BIGINT) AS VARCHAR) "
            f"ELSE CAST({cell} AS VARCHAR) END"
        )
    if typed and typed != "VARCHAR":
        return f"CAST({cell} AS VARCHAR)"
    if odd_blanks:
        return f"nullif(trim({cell}, {BLANKS}), '')"
    return f"nullif(trim({cell}), '')" if outer_spaces else cell


def time_sql(
    text: str,
    formats: Sequence[str],
    *,
    timezone: str,
    day_timezone: str,
    typed: str = "",
) -> tuple[str, str]:
    """Return SQL for a time as microseconds UTC, and for whether it is a day without a time of day.

    Parameters
    ----------
    text : str
        SQL of the text; of the cell itself where it is `typed`.
    formats : sequence of str
        strftime formats, tried in turn, or epoch_s, epoch_ms, epoch_us; none means ISO 8601.
    timezone : str
        The zone of times without an offset. In the hour that a clock skips, the time after it is meant;
        in the hour that it repeats, the second one.
    day_timezone : str
        The business's zone: a day without a time of day begins at its midnight, so that it stays that day.
    typed : str
        The column's type in a Parquet file that already holds times.

    Returns
    -------
    tuple of str
        SQL of a BIGINT (NULL where the text is no time) and of a BOOLEAN.
    """
    zone, day_zone = quote_text(timezone), quote_text(day_timezone)
    if typed.startswith("TIMESTAMP WITH TIME ZONE"):
        return _within(f"epoch_us({text})"), "false"
    if typed == "DATE" or typed.startswith("TIMESTAMP"):
        is_day = typed == "DATE"
        local = f"timezone({day_zone if is_day else zone}, CAST({text} AS TIMESTAMP))"
        return _within(f"epoch_us({local})"), str(is_day).lower()
    if not formats:
        return _iso_sql(text, zone, day_zone)
    instants, days = [], []
    for one in formats:
        is_day = one not in EPOCHS and not CLOCK.search(one)
        parsed = _parse_sql(text, one, day_zone if is_day else zone)
        instants.append(parsed)
        days.append((parsed, is_day))
    kinds = {is_day for _, is_day in days}
    when = " ".join(f"WHEN {parsed} IS NOT NULL THEN {str(is_day).lower()}" for parsed, is_day in days)
    is_day_sql = str(kinds.pop()).lower() if len(kinds) == 1 else f"CASE {when} ELSE false END"
    return f"coalesce({', '.join(instants)})", is_day_sql


def _within(instant: str) -> str:
    return f"(CASE WHEN {instant} BETWEEN {FIRST_US} AND {LAST_US} THEN {instant} END)"


def _iso_sql(text: str, zone: str, day_zone: str) -> tuple[str, str]:
    cleaned = f"replace({text}, ',', '.')"
    after = f"substring({text}, {LONGEST_DAY + 1})"
    zoned = f"{text} LIKE '%Z' OR {text} LIKE '%UTC' OR contains({after}, '+') OR contains({after}, '-')"
    is_day = f"coalesce(length({text}) <= {LONGEST_DAY}, false)"
    clock = f"try_cast({text} AS TIMESTAMP)"
    local = clock if zone == "'UTC'" else f"timezone({zone}, {clock})"
    instant = (
        f"(CASE WHEN regexp_matches({text}, '{PLAIN_TIME}') THEN epoch_us({local}) "
        f"WHEN NOT regexp_matches({text}, '{ISO_TIME}') THEN NULL "
        f"WHEN {is_day} THEN epoch_us(timezone({day_zone}, try_cast({text} AS TIMESTAMP))) "
        f"WHEN {zoned} THEN epoch_us(try_cast({cleaned} AS TIMESTAMPTZ)) "
        f"ELSE epoch_us(timezone({zone}, try_cast({cleaned} AS TIMESTAMP))) END)"
    )
    return instant, is_day


def _parse_sql(text: str, form: str, zone: str) -> str:
    if form in EPOCHS:
        scaled = f"round(try_cast({text} AS DECIMAL(24, 6)) * {EPOCHS[form]})"
        return _within(f"try_cast({scaled} AS BIGINT)")
    parsed = f"try_strptime({text}, {quote_text(form)})"
    has_zone = "%z" in form or "%Z" in form
    return _within(f"epoch_us({parsed})" if has_zone else f"epoch_us(timezone({zone}, {parsed}))")


def number_sql(text: str, *, decimal_comma: bool) -> str:
    """Return SQL of a DOUBLE, NULL where the text is no finite number.

    Parameters
    ----------
    text : str
        SQL of the text.
    decimal_comma : bool
        Whether 12,50 means twelve and a half (files whose cells are not parted by commas).

    Returns
    -------
    str
        SQL.
    """
    cleaned = f"regexp_replace({text}, '^([+-]?\\d+),(\\d+)$', '\\1.\\2')" if decimal_comma else text
    number = f"try_cast({cleaned} AS DOUBLE)"
    return f"CASE WHEN regexp_matches({cleaned}, '{NUMBER}') AND isfinite({number}) THEN {number} END"


def integer_sql(text: str, *, decimal_comma: bool) -> str:
    """Return SQL of a BIGINT, NULL where the text is no whole number (``3.0`` is one).

    Parameters
    ----------
    text : str
        SQL of the text.
    decimal_comma : bool
        Whether 3,0 means three.

    Returns
    -------
    str
        SQL.
    """
    number = number_sql(text, decimal_comma=decimal_comma)
    return (
        f"CASE WHEN regexp_matches({text}, '^[+-]?\\d+$') THEN try_cast({text} AS BIGINT) "
        f"WHEN ({number}) = round({number}) THEN try_cast(({number}) AS BIGINT) END"
    )


def flag_sql(text: str) -> str:
    """Return SQL of a BOOLEAN, NULL where the text is neither yes nor no.

    Parameters
    ----------
    text : str
        SQL of the text.

    Returns
    -------
    str
        SQL.
    """
    return (
        f"CASE WHEN lower({text}) IN ('yes', 'y', 'true', 't', '1') THEN true "
        f"WHEN lower({text}) IN ('no', 'n', 'false', 'f', '0') THEN false END"
    )


@cache
def is_date_format(form: str) -> bool:
    """Return whether the engine knows a date format.

    Parameters
    ----------
    form : str
        A strftime format.

    Returns
    -------
    bool
        False for one with an unknown letter after a % sign.

    Examples
    --------
    >>> is_date_format("%d.%m.%Y"), is_date_format("%Q")
    (True, False)
    """
    with duckdb.connect() as connection:
        try:
            connection.execute("SELECT try_strptime('', ?)", [form]).fetchall()
        except duckdb.Error:
            return False
    return True
