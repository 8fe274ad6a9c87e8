"""The form of the chapters as a table: python -m tests.form"""

import nbformat

from tests.book import rules
from tests.notebooks import CHAPTERS


def main() -> None:
    read = {rules.chapter_number(path): nbformat.read(path, 4) for path in CHAPTERS}
    table = {number: rules.measure(notebook) for number, notebook in read.items()}
    print(f"{'':30}" + "".join(f"{number:>8}" for number in table) + "   limits")
    for name, (least, most) in rules.BUDGET.items():
        row = "".join(f"{measured[name]:8.4g}" for measured in table.values())
        print(f"{name:30}{row}   {least:g} to {most:g}")


if __name__ == "__main__":
    main()
