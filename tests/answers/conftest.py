"""Says at the end of a run how many answers were judged as they should be."""

from tests.answers.proof import COUNTED


def pytest_terminal_summary(terminalreporter):
    if any(COUNTED.values()):
        wrong, right = COUNTED["wrong"], COUNTED["right"]
        terminalreporter.write_line(f"answers: {wrong} wrong refused, {right} right accepted")
