"""Outputs that the tests compare with a stated room say so; printed tables keep their columns."""

import pytest
from docutils import nodes
from outputs import is_table, resolve, room


@pytest.mark.parametrize(
    "classes, said",
    [
        (["tag_within:0.05"], "0.05"),
        (["cell", "tag_within:10%"], "10 %"),
        (["tag_within:0.5", "tag_within:20%"], "0.5 or 20 %"),
        (["tag_hide-input"], None),
    ],
)
def test_the_room_of_a_cell(classes, said):
    assert room(classes) == said


def test_the_note_stands_below_the_output():
    cell = nodes.container(classes=["cell", "tag_within:0.05"])
    document = nodes.container("", cell)
    output = nodes.container("", nodes.literal_block("", "1.5"), classes=["cell_output"])
    cell += output
    resolve(None, document, "notebooks/x")
    assert "differ by 0.05." in cell[-1].astext() and cell[0] is output


def test_columns():
    assert is_table("name    1.5\nother  12.5") and not is_table("It was one day.\nAnd then  two.")
    told = " ".join(["and then they went home"] * 5)
    assert is_table(f"{'name':100}5\n{'other':100}2")
    assert not is_table(f"points  5.0: {told}\npoints -2.0: {told}\npoints  0.5: {told}")


def test_only_what_is_printed_in_columns_keeps_its_lines():
    table, text = nodes.literal_block("", "a  1\nb  2"), nodes.literal_block("", "Once upon a time")
    output = nodes.container("", table, text, classes=["cell_output"])
    resolve(None, nodes.container("", output), "notebooks/x")
    assert "lm-columns" in table["classes"] and "lm-columns" not in text["classes"]
