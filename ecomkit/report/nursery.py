"""A process that has imported what notebooks import, and forks a kernel wherever one is wanted.

It reads lines of JSON: first the import statements, then an order per kernel (`arguments`, `environment`,
`folder`), and answers each with the kernel's process id on the pipe whose number is its argument.
When its input ends it ends, and its kernels end when they miss it.
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

import pandas as pd
from ipykernel.kernelapp import IPKernelApp

_INLINE = "module://matplotlib_inline.backend_inline"


def main() -> None:
    """Import, then fork a kernel per order until the input ends.

    Threads do not come along. Those of numpy, scipy and pyarrow know that; nothing else here may need one.
    """
    answers = int(sys.argv[1])
    # matplotlib reads it when it is imported, and a kernel sets it only later.
    os.environ.setdefault("MPLBACKEND", _INLINE)
    _import(json.loads(sys.stdin.readline()))
    # pandas decides when it is imported, too, and takes this process for a terminal.
    pd.set_option("display.max_columns", 20)
    # Kernels leave what is imported in the memory that they share.
    gc.collect()
    gc.freeze()
    # Nobody waits for kernels here: they are gone when they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        kernel = os.fork()
        if kernel == 0:
            os.close(answers)
            _be_kernel(**json.loads(line))
        os.write(answers, f"{kernel}\n".encode())


def _import(statements: Sequence[str]) -> None:
    # A statement that fails here fails in its notebook, too, and is told there.
    for statement in ["import ibis.backends.duckdb", *statements]:
        with suppress(Exception):
            exec(statement, {})


def _be_kernel(arguments: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.environ.clear()
    os.environ.update({"MPLBACKEND": _INLINE, **environment})
    os.chdir(folder)
    try:
        IPKernelApp.launch_instance([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])
    finally:
        # DuckDB starts a thread when it is imported; to tear down one that did not come along would abort.
        os._exit(0)
