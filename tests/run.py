"""Run notebooks and keep their outputs:  python -m tests.run 02  (or any part of a path).

Cells whose data can't be had here (`requires:NAME`) are left as they are. A notebook is
written only when all of its cells have run.
"""

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from shared.book import whole_file
from tests.notebooks import NOTEBOOKS, ROOT, missing_data, tags


class Runner(NotebookClient):
    """Runs the cells that can run here, and leaves the others with their stored outputs."""

    async def async_execute_cell(self, cell, cell_index, **options):
        if cell.cell_type == "code" and missing_data(cell):
            return cell
        return await super().async_execute_cell(cell, cell_index, **options)


def tidy(notebook) -> None:
    """Number the code cells 1, 2, ..., join pieces of the same stream, drop what is volatile."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        cell.execution_count, outputs = number, []
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            bar = "it/s]" in output.get("data", {}).get("text/plain", "")
            if bar and "nbval-ignore-output" in tags(cell):
                continue  # a page would show it as it was at the beginning
            same = outputs and output.output_type == outputs[-1].output_type == "stream"
            if same and output.name == outputs[-1].name:
                outputs[-1].text += output.text
                continue
            if "execution_count" in output:
                output.execution_count = number
            outputs.append(output)
        cell.outputs = outputs


def run(path: Path) -> None:
    """Execute a notebook in its folder and write it back, whole or not at all."""
    start, notebook = time.perf_counter(), nbformat.read(path, as_version=4)
    Runner(
        notebook,
        timeout=900,
        record_timing=False,
        force_raise_errors=True,  # also where a reader's "run all" goes on
        resources={"metadata": {"path": path.parent}},
    ).execute()
    tidy(notebook)
    with whole_file(path) as file:
        file.write(nbformat.writes(notebook).encode() + b"\n")
    skipped = {name for cell in notebook.cells for name in missing_data(cell)}
    left = f", without {', '.join(sorted(skipped))}" if skipped else ""
    print(f"{path.parent.name}/{path.name}: {time.perf_counter() - start:.0f} s{left}")


if __name__ == "__main__":
    names = {path: str(path.relative_to(ROOT)) for path in NOTEBOOKS}
    chosen = [path for path, name in names.items() if any(part in name for part in sys.argv[1:])]
    if not chosen:
        sys.exit(f"no notebook of that name: {', '.join(sys.argv[1:]) or 'say which'}")
    for path in chosen:
        run(path)
