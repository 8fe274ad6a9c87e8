"""The page of speeds says what was measured, and what was measured is fast enough."""

import json

import pytest

from tests.benchmarks.row import Row
from tests.benchmarks.table import PAGE, PARTS, STORED, line, page

if not STORED.exists():
    pytest.skip("not measured yet: python -m tests.benchmarks.table", allow_module_level=True)
ROWS = [Row(**row) for part in json.loads(STORED.read_text()).values() for row in part["rows"]]


def test_the_page_is_written_from_what_is_stored():
    assert PAGE.read_text(encoding="utf-8") == page(json.loads(STORED.read_text()))


@pytest.mark.parametrize("row", [row for row in ROWS if row.at_least], ids=str)
def test_it_was_fast_enough(row):
    assert row.meets


def test_all_was_measured():
    if missing := PARTS.keys() - json.loads(STORED.read_text()).keys():
        pytest.skip(f"not measured yet: {', '.join(missing)}")
    assert {row.group for row in ROWS} == {"Training", "Writing", "Byte-pair encoding"}
    others = " ".join(row.than for row in ROWS)
    names = ("nanoGPT", "transformers", "tiktoken", "tokenizers", "without a cache")
    assert all(name in others for name in names) and len([r for r in ROWS if r.at_least]) >= 8


def test_a_line():
    row = Row("A", "b", 1234.5, "c/s", 0.126, "d", 0.2)
    assert line(row) == "| b | 1,234 c/s | 0.13 | d |" and not row.meets
    assert "(should be 0.2)" in str(row) and "should" not in str(Row("A", "b", 2, "c", 3, "d", 3))
    assert line(Row("A", "b", 12.34, "c/s")) == "| b | 12.3 c/s |  |  |"
