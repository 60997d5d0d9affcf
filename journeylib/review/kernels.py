"""Kernels of the chapters: of this very Python, reached without the network, gone when the run is.

A kernel spends seconds on importing libraries, so one that has made a chapter makes the next one too, with
nothing left of the names of the one before.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from journeylib.review.publishing import hold_scratch_folder

__all__ = ["QuietKernelManager", "hold_kernels"]

LONGEST_SOCKET = 100  # a socket's path may have 107 characters on Linux, 103 on macOS
LONGEST_BASE = 60
LONGEST_CLEARING = 60  # seconds
# What a chapter leaves behind: figures, names, and the number of the next cell.
CLEAR = """\
import sys
if "matplotlib.pyplot" in sys.modules:
    sys.modules["matplotlib.pyplot"].close("all")
get_ipython().run_line_magic("reset", "-f")
get_ipython().execution_count = 1
__import__("gc").collect()
"""


class QuietKernelManager(AsyncKernelManager):
    """A kernel reached through files of its own folder, where the system has them, not through the network.

    Attributes
    ----------
    folder : str
        Where connection files and sockets are; '' leaves both to Jupyter.
    started : list
        Every manager of this run, so that no kernel outlives it.
    """

    folder: ClassVar[str] = ""
    started: ClassVar[list[QuietKernelManager]] = []

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Whatever kernels the machine knows under the name python3: the chapters need this installation.
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self._kernel_spec = KernelSpec(argv=argv, display_name="Python 3", language="python")
        if self.folder:
            place = tempfile.mkdtemp(prefix="k", dir=self.folder)
            self.connection_file = os.path.join(place, "connection.json")
            if os.name != "nt" and len(place) + len("/k-9") <= LONGEST_SOCKET:
                self.transport, self.ip = "ipc", f"{place}/k"
        self.client_class = "jupyter_client.asynchronous.AsyncKernelClient"
        self._clients: list[Any] = []
        self.started.append(self)

    def client(self, **settings: Any) -> Any:
        """Return a client, as papermill asks for one a notebook; `clear` closes its channels."""
        made = super().client(**settings)
        self._clients.append(made)
        return made

    def clear(self) -> bool:
        """Make the kernel ready for another notebook; False where that fails, and the kernel is to be ended.

        Returns
        -------
        bool
            Whether the kernel has answered that nothing is left of the notebook before.
        """
        while self._clients:
            self._clients.pop().stop_channels()
        client = self.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=LONGEST_CLEARING)
            asked, until = client.execute(CLEAR, silent=True), time.monotonic() + LONGEST_CLEARING
            while time.monotonic() < until and self._find_process():
                with suppress(queue.Empty):
                    reply = client.get_shell_msg(timeout=0.5)
                    if reply["parent_header"].get("msg_id") == asked:
                        return bool(reply["content"]["status"] == "ok")
            return False
        except (RuntimeError, TimeoutError):
            return False
        finally:
            client.stop_channels()

    def _find_process(self) -> Any:
        """Return the kernel's process while it runs, else None; `stop` may end it from another thread."""
        process = getattr(self.provisioner, "process", None)
        return None if process is None or process.poll() is not None else process

    async def _async_start_kernel(self, **settings: Any) -> None:
        """Start the kernel; what it prints outside of its cells must not mix with the command's output."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        await super()._async_start_kernel(**quiet, **settings)

    start_kernel = _async_start_kernel

    def stop(self) -> None:
        """End the kernel and what it has started, at once; may be called from any thread, and twice."""
        process = self._find_process()
        if process is None:
            return
        with suppress(OSError):
            if os.name == "nt":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)  # the kernel leads a group of its own


@contextmanager
def hold_kernels() -> Iterator[type[QuietKernelManager]]:
    """Hold the kernels of one run: a manager class for papermill, whose kernels and files go at the end.

    Yields
    ------
    type
        The class; its `started` lists the managers that papermill has made of it.
    """
    base = tempfile.gettempdir()
    if len(base) > LONGEST_BASE and os.access("/tmp", os.W_OK):
        base = "/tmp"
    with hold_scratch_folder(Path(base), prefix="journeylib-k-") as folder:
        started: list[QuietKernelManager] = []
        try:
            yield type("RunKernelManager", (QuietKernelManager,), {"folder": str(folder), "started": started})
        finally:
            for manager in started:
                manager.stop()
