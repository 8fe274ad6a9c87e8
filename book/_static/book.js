// What is wider than the page scrolls in itself. Let the keyboard reach it, then and only then.
function reachWhatScrolls() {
  for (const wide of document.querySelectorAll(".lm-figure, .bd-article mjx-container")) {
    const scrolls = wide.scrollWidth > wide.clientWidth && getComputedStyle(wide).overflowX === "auto";
    if (scrolls) {
      wide.tabIndex = 0;
      wide.setAttribute("role", "group");
      wide.setAttribute("aria-label", "wider than the page: scrolls sideways");
    } else if (wide.getAttribute("role") === "group") {
      for (const name of ["tabindex", "role", "aria-label"]) wide.removeAttribute(name);
    }
  }
}

addEventListener("load", () => {
  reachWhatScrolls();
  window.MathJax?.startup?.promise?.then(reachWhatScrolls);
});
document.fonts.addEventListener("loadingdone", reachWhatScrolls); // formulas grow with their fonts
addEventListener("resize", reachWhatScrolls);
addEventListener("input", reachWhatScrolls); // a slider shows another figure
