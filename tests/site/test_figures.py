"""Figures as a browser draws them: no label is cut off, and no two lie on each other."""

import pytest

WRONG = """(root) => {
  const wrong = [];
  for (const svg of root.querySelectorAll('.lm-figure svg')) {
    const edge = svg.getBoundingClientRect();
    if (!edge.width) continue;
    const seen = [];
    for (const text of svg.querySelectorAll('text')) {
      const box = text.getBoundingClientRect(), words = text.textContent.trim();
      if (!words || !box.width) continue;
      if (box.left < edge.left - 2 || box.right > edge.right + 2 ||
          box.top < edge.top - 3 || box.bottom > edge.bottom + 3)
        wrong.push(`"${words}" leaves its figure`);
      for (const [other, was] of seen) {
        const w = Math.min(box.right, other.right) - Math.max(box.left, other.left);
        const h = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
        const small = Math.min(box.width * box.height, other.width * other.height);
        if (w > 2 && h > 2 && w * h > 0.25 * small) wrong.push(`"${words}" lies on "${was}"`);
      }
      seen.push([box, words]);
    }
  }
  return wrong;
}"""


@pytest.mark.parametrize(
    "texts, said",
    [
        ('<text x="5" y="20">one</text><text x="7" y="22">two</text>', "lies on"),
        ('<text x="190" y="20">a long label</text>', "leaves its figure"),
        ('<text x="5" y="4">high</text>', "leaves its figure"),
        ('<text x="5" y="20">one</text><text x="5" y="60">two</text>', ""),
    ],
)
def test_the_scan_sees_what_is_wrong(open_page, texts, said):
    page = open_page("index.html")
    svg = f'<svg viewBox="0 0 200 80" width="200" height="80" font-size="16">{texts}</svg>'
    page.set_content(f'<main><div class="lm-figure">{svg}</div></main>')
    wrong = page.locator("main").evaluate(WRONG)
    assert bool(wrong) == bool(said) and said in " ".join(wrong)
