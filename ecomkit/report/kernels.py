"""Kernels that are forked from one process with everything imported: on most machines half of a report's time.

Linux alone lets a process be waited for by who is not its parent; elsewhere kernels start as they always do.
"""

import ast
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from ecomkit.report.notebook_code import cells_of

CAN_FORK = hasattr(os, "pidfd_open")
_LAUNCHER = "ipykernel_launcher"
# Modules of the folder where a report runs take no library's place: kernels add it to the path when they start.
_START = """
import sys
sys.path = [place for place in sys.path if place]
from ecomkit.report.nursery import main
main()
"""


@contextmanager
def kernels_for(notebooks: Sequence[Path]) -> Iterator[type[AsyncKernelManager]]:
    """Give the class of managers whose kernels have imported what the notebooks import.

    When the block ends, kernels that are still there end with it.
    """
    if not CAN_FORK:
        yield AsyncKernelManager
        return
    nursery = _Nursery(imports_of(notebooks))

    class Forked(AsyncKernelManager):
        """Starts a kernel by a fork where it can, as a new process otherwise."""

        async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
            forked = nursery.fork(kernel_cmd, options) if _is_like_here(kernel_cmd) else None
            if forked is None:
                await super()._async_launch_kernel(kernel_cmd, **options)
                return
            # What its own launch_kernel does, with another process.
            held = self.provisioner
            held.process, held.pid, held.pgid = forked, forked.pid, forked.pid
            held.cwd = options.get("cwd", Path.cwd())
            self._reconcile_connection_info(held.connection_info)

    try:
        yield Forked
    finally:
        nursery.close()


def imports_of(notebooks: Sequence[Path]) -> list[str]:
    """Return the import statements of all notebooks, each once, in order; none of a cell that is no plain Python."""
    lines = (line for path in notebooks for cell in cells_of(path) for line in cell.body)
    return list(dict.fromkeys(ast.unparse(line) for line in lines if isinstance(line, ast.Import | ast.ImportFrom)))


def _is_like_here(kernel_cmd: Sequence[str]) -> bool:
    return kernel_cmd[0] == sys.executable and _LAUNCHER in kernel_cmd


class _Nursery:
    """The process that forks kernels, and the pipes to it."""

    def __init__(self, imports: Sequence[str]) -> None:
        answers, theirs = os.pipe()
        command = [sys.executable, "-c", _START, str(theirs)]
        # A session of its own: Ctrl-C is for the report, which then ends this.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=[theirs], start_new_session=True, text=True
        )
        os.close(theirs)
        self._answers = os.fdopen(answers)
        self._one_at_a_time = Lock()
        self._tell(imports)

    def fork(self, kernel_cmd: Sequence[str], options: dict[str, Any]) -> "_ForkedProcess | None":
        """Return a new kernel, or None where the nursery is gone."""
        order = {
            "arguments": list(kernel_cmd[kernel_cmd.index(_LAUNCHER) + 1 :]),
            "environment": options.get("env") or dict(os.environ),
            "folder": str(options.get("cwd") or Path.cwd()),
        }
        with self._one_at_a_time:
            answer = self._answers.readline() if self._tell(order) else ""
        return _ForkedProcess(int(answer)) if answer else None

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._answers.close()
        with suppress(BrokenPipeError):  # of what could not be told any more
            self._process.stdin.close()

    def _tell(self, what: Any) -> bool:
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return False
        return True


class _ForkedProcess:
    """A kernel that is no child of this process: what jupyter_client asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        # The process, whatever becomes of the number; that is gone where the kernel ended at once.
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle = None

    def poll(self, seconds: float | None = 0) -> int | None:
        """Return None while it runs, and then no exit status but a number in its place: nobody here is told."""
        runs = self._handle is not None and not select.select([self._handle], [], [], seconds)[0]
        return None if runs else 1

    def wait(self) -> int:
        """Wait for its end."""
        self.poll(None)
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        return 1

    def send_signal(self, number: int) -> None:
        """Send a signal to it."""
        if self._handle is None:
            raise ProcessLookupError(f"The kernel {self.pid} has ended.")
        signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)
