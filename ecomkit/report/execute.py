"""Run notebooks with papermill, each in a kernel of its own, several at a time."""

import json
import logging
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecomkit.report.kernels import kernels_for

_CELL_SECONDS = 600
_LONGEST_MESSAGE = 300


@dataclass(frozen=True)
class Run:
    """One notebook that was run: where its outputs lie, and what went wrong, if anything did."""

    source: Path
    executed: Path
    seconds: float
    failure: str | None

    @property
    def name(self) -> str:
        """The notebook's name, without its ending."""
        return self.source.stem


def run_notebooks(
    notebooks: Sequence[Path], parameters: Mapping[str, Mapping[str, Any]], folder: Path
) -> Iterator[Run]:
    """Run notebooks as cores allow and yield each as it ends; outputs go to `folder`.

    Every notebook has a kernel, a process of its own; threads here only wait for
    them. A notebook that fails does not stop the others. Who stops listening, or
    interrupts, ends the kernels.
    """
    (folder / "ipython").mkdir()
    # The longest first, as far as its length tells, so that all cores end together.
    in_turn = sorted(notebooks, key=lambda path: path.stat().st_size, reverse=True)
    pool = ThreadPoolExecutor(min(len(notebooks), os.cpu_count() or 1))
    try:
        with kernels_for(in_turn) as kernels:
            try:
                futures = [
                    pool.submit(_run, path, folder / path.name, dict(parameters[path.stem]), kernels)
                    for path in in_turn
                ]
                for future in as_completed(futures):
                    yield future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    finally:
        pool.shutdown()


def _run(source: Path, target: Path, parameters: dict[str, Any], kernels: type) -> Run:
    import papermill
    from jupyter_core.utils import ensure_event_loop
    from traitlets.config import Config

    from ecomkit.report import engine

    # It warns of parameters with a type that it cannot read; all were checked already.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    # Sockets of files: of ports, two kernels that start at once may pick the same.
    sockets = Config()
    sockets.KernelManager.transport = "ipc"
    sockets.KernelManager.connection_file = str(target.parent / f"kernel-{source.stem}.json")
    started = time.perf_counter()
    failure = None
    try:
        papermill.execute_notebook(
            source,
            target,
            parameters=parameters,
            progress_bar=False,
            engine_name=engine.NAME,
            execution_timeout=_CELL_SECONDS,
            config=sockets,
            kernel_manager_class=kernels,
            # The reader's own start-up files must not change a number, and kernels are quiet about their transport.
            extra_arguments=[f"--ipython-dir={target.parent / 'ipython'}", "--IPKernelApp.log_level=50"],
        )
    except Exception as error:
        failure = described(error)
    finally:
        ensure_event_loop().close()  # this thread's own, which nbclient leaves open
    return Run(source, target, time.perf_counter() - started, failure or _unfinished(target))


def described(error: Exception) -> str:
    """Return the error's name and message without the folders of this machine."""
    name = getattr(error, "ename", type(error).__name__)
    message = str(getattr(error, "evalue", error))
    message = re.sub(r"(?<![\w/:])/(?:[^\s/'\":]+/)+", "", " ".join(message.split()))
    text = f"{name}: {message}" if message else name
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def _unfinished(executed: Path) -> str | None:
    """Tell when a notebook ended early without an error, as `sys.exit(0)` does."""
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
    own = [cell["metadata"] for cell in code if "injected-parameters" not in cell["metadata"].get("tags", [])]
    left = sum(metadata.get("papermill", {}).get("status") != "completed" for metadata in own)
    return f"The notebook stopped early: {left} of {len(own)} cells did not finish." if left else None
