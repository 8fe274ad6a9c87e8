// What is wider than the page scrolls in itself: it shows that there is more, and the keyboard
// reaches it, then and only then. (Code and outputs are the theme's to make reachable.)
const WIDE = ".lm-figure, .bd-article mjx-container";
const scrolls = (wide) => wide.scrollWidth > wide.clientWidth && getComputedStyle(wide).overflowX === "auto";
const CUT = `${WIDE}, .bd-article pre, .bd-article .output, .pst-scrollable-table-container`;

function showMore(wide) {
  const more = wide.scrollWidth - wide.clientWidth - wide.scrollLeft > 2;
  wide.classList.toggle("lm-cut", more && scrolls(wide)); // a formula in a line is as wide as it is
}

function reachWhatScrolls() {
  for (const wide of document.querySelectorAll(WIDE)) {
    if (scrolls(wide)) {
      wide.tabIndex = 0;
      wide.setAttribute("role", "group");
      wide.setAttribute("aria-label", "wider than the page: scrolls sideways");
    } else if (wide.getAttribute("role") === "group") {
      for (const name of ["tabindex", "role", "aria-label"]) wide.removeAttribute(name);
    }
  }
  document.querySelectorAll(CUT).forEach(showMore);
}

addEventListener("load", () => {
  reachWhatScrolls();
  window.MathJax?.startup?.promise?.then(reachWhatScrolls);
});
document.fonts.addEventListener("loadingdone", reachWhatScrolls); // formulas grow with their fonts
addEventListener("resize", reachWhatScrolls);
addEventListener("input", reachWhatScrolls); // a slider shows another figure
addEventListener("toggle", reachWhatScrolls, true); // a fold opens
addEventListener("scroll", (event) => event.target.matches?.(CUT) && showMore(event.target), true);

// On paper nobody can open a fold: verdicts stand open there, and close again behind it.
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll(".bd-article details:not(.hide, .lm-note, [open])")) {
    fold.open = fold.dataset.printed = true;
  }
});
addEventListener("afterprint", () => {
  for (const fold of document.querySelectorAll("details[data-printed]")) {
    fold.open = false;
    delete fold.dataset.printed;
  }
});
