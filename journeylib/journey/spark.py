"""Spark, where one machine is too small: one session for a run, which its other processes share.

PySpark is imported only here and only when it is asked for. A session on a cluster or behind a Spark Connect
URL keeps the settings of its makers; one on this machine gets settings for few cores and no web page.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from journeylib.data.problems import ArgumentError

__all__ = ["connect_spark", "explain_missing_spark", "name_place", "read_with_spark", "share_spark"]

_SHARED = "JOURNEY_SPARK_SHARED"
_PORT, _SECRET = "PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"
_SECONDS = 5  # how long a master may take to answer at all
_ONE_MACHINE = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def connect_spark(master: str = "", *, memory_limit: str = "", spill: str = "") -> Any:
    """Open the Spark session of this process, on first use.

    Parameters
    ----------
    master : str
        `local[2]`, `spark://host:7077`, `yarn`, or a Spark Connect URL such as `sc://host:15002`; empty takes
        the environment's SPARK_REMOTE or MASTER, else all cores of this machine.
    memory_limit : str
        Memory of the driver, such as `2GB`; empty leaves Spark's own. Of no use with Spark Connect.
    spill : str
        Folder for what does not fit into memory, on this machine; empty leaves Spark's own.

    Returns
    -------
    pyspark.sql.SparkSession
        The session that is already there, else one shared by `share_spark`, else a new one.

    Raises
    ------
    ArgumentError
        Where pyspark or Java is missing, or the master does not answer; it says what to install or mend.

    Notes
    -----
    A session that is there already keeps its settings. Times are int64 everywhere, so that no number depends
    on the session's time zone.
    """
    master = master or os.environ.get("SPARK_REMOTE") or os.environ.get("MASTER") or "local[*]"
    if missing := explain_missing_spark(master):
        raise ArgumentError(missing)
    # Said of every import; what of pandas this kit uses with Spark (nothing but Arrow) is tested.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support", category=FutureWarning)
    there = _find_active()
    if there is not None:
        return there
    if os.environ.get(_SHARED):
        return _attach()
    if master.startswith("sc://"):
        from pyspark.sql import SparkSession

        return SparkSession.builder.remote(master).getOrCreate()
    return _start(master, memory_limit, spill)


def explain_missing_spark(master: str = "") -> str:
    """Say what Spark lacks on this machine, or that its master does not answer.

    Parameters
    ----------
    master : str
        As for `connect_spark`; Spark Connect needs no Java here, but gRPC.

    Returns
    -------
    str
        One sentence that says what to install or mend; empty where nothing is missing.

    Examples
    --------
    >>> said = explain_missing_spark("local[2]")  # on this machine
    >>> said == "" or said.startswith("Spark needs ")
    True
    """
    if find_spec("pyspark") is None:
        return "Spark needs pyspark, which is not installed: pip install 'journeylib[spark]'"
    if master.startswith("sc://"):
        lacking = [name for name in ("grpc", "grpc_status", "zstandard") if find_spec(name) is None]
        if lacking:
            return f"Spark Connect needs {', '.join(lacking)}: pip install 'pyspark[connect]'"
        return _knock(master)
    home = os.environ.get("JAVA_HOME", "")
    if shutil.which("java", path=os.path.join(home, "bin")) if home else shutil.which("java"):
        return _knock(master)
    wrong = f"; JAVA_HOME is {home}, where there is none" if home else ""
    return f"Spark needs Java 17 or newer, and no java was found{wrong}: install a JDK or JRE 17"


def read_with_spark(path: str | Path, master: str = "", **settings: str) -> Any:
    """Open Parquet as a Spark DataFrame.

    Parameters
    ----------
    path : str or Path
        A Parquet file, a folder of them or a pattern, which all of Spark's machines see under this name.
    master, **settings
        As for `connect_spark`.

    Returns
    -------
    pyspark.sql.DataFrame
        Not yet read.
    """
    return connect_spark(master, **settings).read.parquet(name_place(path))


def name_place(path: str | Path) -> str:
    """Name a place of the file system, which Spark would else seek in its own default storage.

    Parameters
    ----------
    path : str or Path
        A file, a folder or a pattern.

    Returns
    -------
    str
        The same, absolute, as Spark reads it.

    Examples
    --------
    >>> name_place("/data/events.parquet")
    'file:///data/events.parquet'
    """
    place = Path(path).absolute().as_posix()
    return f"file://{place}" if place.startswith("/") else f"file:///{place}"


@contextmanager
def share_spark(master: str = "", *, memory_limit: str = "", spill: str = "") -> Iterator[Any]:
    """Hold one Spark session for this process and all that it starts meanwhile.

    Parameters
    ----------
    master, memory_limit, spill
        As for `connect_spark`.

    Yields
    ------
    pyspark.sql.SparkSession
        The session. Processes that are started within the block get it from `connect_spark`: they attach to
        the same Java process, which is warm. It is stopped at the end, unless it was there before.
    """
    before = _find_active()
    session = connect_spark(master, memory_limit=memory_limit, spill=spill)
    shared = _describe_gateway(session)
    kept = {name: os.environ.get(name) for name in shared}
    os.environ.update(shared)
    try:
        yield session
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        if before is None:
            with suppress(Exception):  # Spark may be gone already, and the run's own error matters more
                session.stop()


def _find_active() -> Any:
    """Find the session of this process; None where there is none yet."""
    if find_spec("pyspark") is None:
        return None
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is None:  # active is a matter of the thread
        with suppress(ImportError):  # the slim pyspark-client has no context
            from pyspark import SparkContext

            if SparkContext._active_spark_context is not None:
                active = SparkSession.builder.getOrCreate()
    return active


def _describe_gateway(session: Any) -> dict[str, str]:
    """Say in environment variables how another process of this machine reaches the session's Java."""
    gateway = getattr(getattr(session, "_sc", None), "_gateway", None)
    if gateway is None:  # Spark Connect: each process connects by itself
        return {}
    parameters = gateway.gateway_parameters
    return {_SHARED: "1", _PORT: str(parameters.port), _SECRET: str(parameters.auth_token)}


def _attach() -> Any:
    """Use the Spark that the process which started this one has opened."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    gateway = launch_gateway()  # connects to the port of the environment
    java: Any = gateway.jvm
    running = java.org.apache.spark.api.java.JavaSparkContext.fromSparkContext(
        java.org.apache.spark.SparkContext.getOrCreate()
    )
    settings = SparkConf(_jvm=java, _jconf=running.getConf())
    return SparkSession(SparkContext(gateway=gateway, jsc=running, conf=settings))


def _start(master: str, memory_limit: str, spill: str) -> Any:
    """Start Spark's driver on this machine; what Java prints is kept from the reader, unless it fails."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    settings = SparkConf(loadDefaults=False)
    for name, value in _choose_settings(master, memory_limit, spill).items():
        settings.set(name, value)
    with tempfile.TemporaryFile() as said:
        try:
            quiet = {"stdout": said, "stderr": said}
            gateway = None if SparkContext._gateway else launch_gateway(settings, popen_kwargs=quiet)
            full = SparkConf(_jvm=(gateway or SparkContext._gateway).jvm)  # type: ignore[union-attr]
            for name, value in settings.getAll():
                full.set(name, value)
            context = SparkContext(gateway=gateway, conf=full)
        except Exception as error:
            said.seek(0)
            lines = said.read().decode("utf-8", "replace").splitlines()
            why = next((line for line in lines if "Error" in line or "Exception" in line), str(error))
            why = " ".join(why.split())[:200]
            raise ArgumentError(f"Spark did not start ({why}): make sure that java is 17 or newer") from error
    context.setLogLevel("ERROR")
    return SparkSession(context)


def _choose_settings(master: str, memory_limit: str, spill: str) -> dict[str, str]:
    settings = {"spark.master": master, "spark.app.name": "journeylib", "spark.sql.session.timeZone": "UTC"}
    # Else each expression notes its line of Python, which takes a fifth of a small query and nobody sees.
    settings["spark.python.sql.dataFrameDebugging.enabled"] = "false"
    if memory_limit:
        number, unit = re.split(r"(?<=[\d.]) *(?=[KMGT])", memory_limit, maxsplit=1)
        mebibytes = float(number) * {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}[unit[0]]
        settings["spark.driver.memory"] = f"{max(512, round(mebibytes))}m"  # Spark starts with no less
    if not re.match(r"local\b", master):
        return settings
    cores = re.match(r"local\[(\d+)", master)
    n = int(cores[1]) if cores else (os.cpu_count() or 2) if "*" in master else 1
    few = {"spark.sql.shuffle.partitions": str(max(2, n)), "spark.default.parallelism": str(max(2, n))}
    if spill:
        settings["spark.local.dir"] = spill
    return {**settings, **_ONE_MACHINE, **few}


def _knock(master: str) -> str:
    """Say if a master does not answer, instead of the minutes for which Spark would try."""
    parts = urlsplit(master.split(";")[0].split(",")[0])
    port = parts.port or (15002 if parts.scheme == "sc" else 7077)
    if parts.scheme not in ("sc", "spark") or not parts.hostname:
        return ""
    try:
        socket.create_connection((parts.hostname, port), timeout=_SECONDS).close()
    except OSError as error:
        why = error.strerror or str(error)
        place = f"{parts.scheme}://{parts.hostname}:{port}"
        return f"Spark does not answer at {place} ({why}): start it there, or mend master in [engine]"
    return ""
