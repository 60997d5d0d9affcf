"""The words of the command: its options, and one sentence for a word that it does not know."""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from typing import NoReturn

__all__ = ["build_parser"]

EXIT_CODES = """exit codes:
  0  rely on it
  1  something failed while running; nothing was replaced
  2  wrong input or configuration; the sentences say what and where
  3  made and published, but not to be relied on; the page says why"""
COMMANDS = ("init", "check", "review", "sample")
OPTIONS = ("--period", "--data", "--as-of", "--out", "--parameter", "--seconds", "--customers", "--seed")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command in one sentence, and ends with exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence."""
        message = " ".join(message.replace(" (choose from", "; choose from").rstrip(")").split())
        words = [word.strip("'") for word in message.split()]
        known = OPTIONS if "unrecognized" in message else COMMANDS if "COMMAND" in message else ()
        near = [
            hit
            for word in words
            for hit in get_close_matches(word.partition("=")[0], known, 1)
            if word != hit
        ]
        meant = f"; did you mean {near[0]}?" if near else ""
        self.exit(2, f"{self.prog}: {message}{meant}; see {self.prog} --help\n")


def _count(text: str) -> int:
    """Return a whole number from 1 up."""
    value = int(text) if text.strip().isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return value


def _seed(text: str) -> int:
    """Return a whole number from 0 up."""
    if not text.strip().isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 up")
    return int(text)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command.

    Returns
    -------
    argparse.ArgumentParser
        It ends the process with exit code 2 and one sentence where it does not know a word.

    Examples
    --------
    >>> build_parser().parse_args(["review", "my_shop", "--period", "2026Q3"]).period
    '2026Q3'
    """
    parser = _Parser(
        prog="journey",
        description="Customer-journey reviews from surveys, clickstreams, orders and service contacts.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    init = commands.add_parser(
        "init",
        help="begin a project: a folder with journey.toml and its tables to fill in",
        allow_abbrev=False,
    )
    init.add_argument("folder")
    for name, words in (
        ("check", "check a project and its sources; makes no report"),
        ("review", "make a review"),
    ):
        one = commands.add_parser(
            name,
            help=words,
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        _add_options(one)
        if name == "review":
            one.add_argument(
                "--out", default="reports", metavar="DIR", help="where reports go (default: reports)"
            )
            one.add_argument(
                "--seconds",
                type=_count,
                default=600,
                metavar="N",
                help="time limit of one notebook cell (default: 600)",
            )
    sample = commands.add_parser(
        "sample", help="write the sample project, made-up data with planted truth", allow_abbrev=False
    )
    sample.add_argument("folder")
    sample.add_argument("--customers", type=_count, default=None, metavar="N")
    sample.add_argument("--seed", type=_seed, default=None, metavar="S")
    return parser


def _add_options(one: argparse.ArgumentParser) -> None:
    """Add what check and review have in common."""
    one.add_argument("folder", help="the project's folder, which holds journey.toml")
    one.add_argument(
        "--period",
        help="2026, 2026Q3, 2026-07, FY2026Q3, latest (the latest closed quarter, the default) or last",
    )
    one.add_argument("--data", metavar="DIR", help="base of the sources' relative paths")
    one.add_argument("--as-of", metavar="T", help="look at the data as of this date or time")
    one.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the chapters",
    )
