"""What several tests ask of the notebooks: where they are, and which cells can run here."""

from pathlib import Path

from shared.book import available

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb")) + sorted(
    (ROOT / "notebooks" / "solutions").glob("*.ipynb")
)
CHAPTERS = [path for path in NOTEBOOKS if path.parent.name == "notebooks"]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def missing_data(cell) -> list[str]:
    """The names after `requires:` among a cell's tags that can't be had here."""
    names = [tag.removeprefix("requires:") for tag in tags(cell) if tag.startswith("requires:")]
    return [name for name in names if not available(name)]
