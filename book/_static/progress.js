// A line at the top of a chapter shows how far one has come, the contents in which section one is.
(() => {
  if (!document.querySelector(".lm-opening")) return;
  const line = Object.assign(document.createElement("div"), { id: "lm-progress" });
  line.setAttribute("aria-hidden", "true");
  document.body.append(line);
  const links = [...document.querySelectorAll("#pst-page-toc-nav .toc-h2 > a")];
  const sections = links.map((link) => document.getElementById(link.hash.slice(1)));
  function show() {
    const all = document.documentElement.scrollHeight - innerHeight;
    line.style.transform = `scaleX(${all > 0 ? Math.min(1, scrollY / all) : 0})`;
    const here = sections.findLastIndex((one) => one?.getBoundingClientRect().top < innerHeight / 3);
    links.forEach((link, i) => {
      link.classList.toggle("lm-here", i === here);
      link.ariaCurrent = i === here ? "true" : null;
    });
  }
  addEventListener("scroll", show, { passive: true });
  addEventListener("resize", show);
  show();
})();
