"""The engine that journey.toml names is there, or one sentence says what to install; the exit code is 2."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from journeylib.journey import spark

NO_PYSPARK = "pyspark is not installed (extra `spark`)"


def choose_spark(tiny: Path, master: str = "local[2]") -> None:
    with (tiny / "journey.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'\n[engine]\nname = "spark"\nmaster = "{master}"\n')


def check_refused(ended, *words: str) -> None:
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1, ended.err
    assert ended.err.startswith("journey.toml, line ") and "[engine] name" in ended.err
    for word in words:
        assert word in ended.err


@pytest.mark.parametrize("verb", ["check", "review"])
def test_spark_without_java_is_one_sentence(verb, tiny, command, monkeypatch, tmp_path):
    pytest.importorskip("pyspark", reason=NO_PYSPARK)
    choose_spark(tiny)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    where = [] if verb == "check" else ["--out", tmp_path / "reports"]
    check_refused(command(verb, tiny, *where), "no java was found", "install a JDK or JRE 17")


def test_a_java_home_without_java_is_named(tiny, command, monkeypatch, tmp_path):
    pytest.importorskip("pyspark", reason=NO_PYSPARK)
    choose_spark(tiny)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    check_refused(command("check", tiny), "JAVA_HOME", "nowhere")


def test_spark_without_pyspark_is_one_sentence(tiny, command, monkeypatch):
    choose_spark(tiny)
    monkeypatch.setattr(spark, "find_spec", lambda name: None)
    check_refused(
        command("check", tiny), "pyspark, which is not installed", "pip install 'journeylib[spark]'"
    )


def test_spark_connect_without_grpc_is_one_sentence(tiny, command, monkeypatch):
    choose_spark(tiny, "sc://127.0.0.1:15002")
    monkeypatch.setattr(spark, "find_spec", lambda name: None if name == "grpc" else object())
    check_refused(command("check", tiny), "Spark Connect needs grpc", "pip install 'pyspark[connect]'")


@pytest.mark.parametrize("kind", ["sc", "spark"])
def test_a_master_that_does_not_answer_is_one_sentence(kind, tiny, command, monkeypatch):
    monkeypatch.setattr(spark, "find_spec", lambda name: object())
    monkeypatch.setattr(spark.shutil, "which", lambda *_, **__: "java")
    with socket.socket() as free:  # a port that nobody listens at
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        choose_spark(tiny, f"{kind}://127.0.0.1:{port}")
        check_refused(command("check", tiny), f"{kind}://127.0.0.1:{port}", "start it there, or mend master")


TRY_SPARK = """
from journeylib.data.problems import ArgumentError
from journeylib.journey import spark
assert not spark.explain_missing_spark("local[1]")
try:
    spark.connect_spark("local[1]")
except ArgumentError as error:
    print(error)
"""


def test_a_java_that_is_too_old_is_one_sentence(tmp_path):
    pytest.importorskip("pyspark", reason=NO_PYSPARK)
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'Error: UnsupportedClassVersionError' >&2\nexit 1\n", encoding="utf-8")
    java.chmod(0o755)
    # A process of its own, since another test of this one may hold a Spark that runs.
    shared = ("JOURNEY_SPARK_SHARED", "PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET")
    own = {name: text for name, text in os.environ.items() if name not in shared}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TRY_SPARK],
        env={**own, "JAVA_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-500:]
    assert re.search("UnsupportedClassVersionError.*java is 17 or newer", ran.stdout)
    assert len(ran.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("master", "partitions"), [("local", "2"), ("local[3]", "3"), ("yarn", None), ("spark://a:1", None)]
)
def test_a_cluster_keeps_the_settings_of_its_makers(master, partitions):
    chosen = spark._choose_settings(master, "1.5GB", "")
    assert chosen.get("spark.sql.shuffle.partitions") == partitions
    assert chosen["spark.driver.memory"] == "1536m"
    assert ("spark.ui.enabled" in chosen) == (partitions is not None)
