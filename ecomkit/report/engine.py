"""papermill's engine, but a notebook is saved when it ends and not twice a cell: that took a third of a report."""

from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

NAME = "saved-at-its-end"


class SavedAtItsEnd(NBClientEngine):
    """Runs a notebook as papermill does; how far it came is saved when it ends, well or not."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any) -> None:
        """Run the cells, each without a save before and after it."""
        nb_man.save = lambda **ignored: None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            del nb_man.save


papermill_engines.register(NAME, SavedAtItsEnd)
