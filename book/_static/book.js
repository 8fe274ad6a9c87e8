// What is wider than the page scrolls in itself: it shows that there is more, and the keyboard
// reaches it, then and only then.
const WIDE = ".lm-figure, .lm-set";
const CUT = `${WIDE}, .bd-article pre, .bd-article .output, .pst-scrollable-table-container`;

function look(some) {
  // first read all, then write: else each of them would lay out the page anew
  const seen = some.map((one) => [one, one.scrollWidth - one.clientWidth, getComputedStyle(one).overflowX]);
  for (const [one, hidden, overflow] of seen) {
    const scrolls = hidden > 0 && overflow === "auto";
    one.classList.toggle("lm-cut", scrolls && hidden - one.scrollLeft > 2);
    if (scrolls && one.tabIndex !== 0) one.tabIndex = 0;
    if (!scrolls) one.removeAttribute("tabindex");
    if (scrolls && one.matches(WIDE)) {
      one.setAttribute("role", "group");
      one.setAttribute("aria-label", "wider than the page: scrolls sideways");
    } else if (one.getAttribute("role") === "group") {
      for (const name of ["role", "aria-label"]) one.removeAttribute(name);
    }
  }
}

// what is far away waits: on a phone the browser has not even laid it out
const near = new IntersectionObserver(
  (seen) => look(seen.filter((one) => one.isIntersecting).map((one) => one.target)),
  { rootMargin: "2000px" },
);

function reachWhatScrolls() {
  for (const one of document.querySelectorAll(CUT)) {
    near.unobserve(one); // or it would answer only to what comes and goes
    near.observe(one);
  }
}

addEventListener("load", reachWhatScrolls);
document.fonts.addEventListener("loadingdone", reachWhatScrolls); // formulas grow with their fonts
let textWidth = 0; // which changes after the window's where side bars come and go
new ResizeObserver(([{ contentRect }]) => {
  if (textWidth !== (textWidth = contentRect.width)) reachWhatScrolls();
}).observe(document.querySelector(".bd-article") ?? document.body);
addEventListener("input", reachWhatScrolls); // a slider shows another figure
addEventListener("toggle", reachWhatScrolls, true); // a fold opens
addEventListener("scroll", (event) => event.target.matches?.(CUT) && look([event.target]), true);

// The list of chapters begins where this page stands in it.
const list = document.querySelector(".bd-sidebar-primary .sidebar-primary-item:has(nav)");
const here = [...(list?.querySelectorAll(".active > a") ?? [])].at(-1);
if (here) list.scrollTop += here.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 4;

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
