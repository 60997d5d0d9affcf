"""Pseudonyms: ids of people become keyed hashes, so that tables can be joined and nobody is named."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import pandas as pd

__all__ = ["NO_KEY", "find_key", "fingerprint_key", "hmac_sql", "pseudonymise"]

LENGTH = 32  # hexadecimal digits that are kept: 128 of the hash's 256 bits
DEMO_KEY = "demo_key.txt"
NO_KEY = b""  # exploring one's own export: ids stay as they are; `find_key` never gives it to a review


def find_key(folder: Path, *, variable: str = "JOURNEY_KEY") -> tuple[bytes, str]:
    """Return the key of the pseudonyms and where it is from.

    Parameters
    ----------
    folder : Path
        The project's folder; the sample's holds a public demo key in demo_key.txt.
    variable : str
        The environment variable that holds the key.

    Returns
    -------
    tuple of bytes and str
        The key, and ``environment``, ``demo`` or ``this run`` (a random key that is forgotten afterwards).
    """
    if given := os.environ.get(variable):
        return given.encode(), "environment"
    demo = folder / DEMO_KEY
    if demo.is_file() and (text := demo.read_text(encoding="utf-8").strip()).startswith("demo-"):
        return text.encode(), "demo"
    return secrets.token_bytes(32), "this run"


def fingerprint_key(key: bytes) -> str:
    """Return eight digits that tell two keys apart and do not give the key away.

    Parameters
    ----------
    key : bytes
        The key of the pseudonyms.

    Returns
    -------
    str
        Hexadecimal digits.
    """
    return hmac.digest(key, b"journeylib: fingerprint of the key", "sha256").hex()[:8]


def pseudonymise(ids: pd.Series, *, key: bytes) -> pd.Series:
    """Return keyed pseudonyms of ids (HMAC-SHA256, RFC 2104, the first 128 bits).

    Parameters
    ----------
    ids : Series
        One id a row, as text; a missing id stays missing.
    key : bytes
        The key; `NO_KEY` leaves the ids as they are.

    Returns
    -------
    Series
        32 hexadecimal digits a row, same index; the order of rows does not matter.

    Examples
    --------
    >>> pseudonymise(pd.Series(["what do ya want for nothing?"]), key=b"Jefe")[0]
    '5bdcc146bf60754e6a042426089575c7'
    """
    if key == NO_KEY:
        return ids.astype("str").where(ids.notna(), None)
    digests = {
        one: hmac.digest(key, str(one).encode(), "sha256").hex()[:LENGTH] for one in ids.dropna().unique()
    }
    return ids.map(digests).astype("str").where(ids.notna(), None)


def hmac_sql(text: str, *, key: bytes) -> str:
    """Return SQL of the same pseudonym, for ids that are in the engine.

    Parameters
    ----------
    text : str
        SQL of the id as text.
    key : bytes
        The key; `NO_KEY` leaves the ids as they are.

    Returns
    -------
    str
        SQL of 32 hexadecimal digits; NULL stays NULL.

    Examples
    --------
    >>> import duckdb
    >>> duckdb.sql("SELECT " + hmac_sql("'what do ya want for nothing?'", key=b"Jefe")).fetchall()[0][0]
    '5bdcc146bf60754e6a042426089575c7'
    """
    if key == NO_KEY:
        return text
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner, outer = (_blob(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
    return f"sha256({outer} || unhex(sha256({inner} || encode({text}))))[:{LENGTH}]"


def _blob(content: bytes) -> str:
    return f"unhex('{content.hex()}')"
