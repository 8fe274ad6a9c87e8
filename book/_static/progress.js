// A line at the top of a chapter shows how far one has come.
(() => {
  if (!document.querySelector(".lm-opening")) return;
  const line = Object.assign(document.createElement("div"), { id: "lm-progress" });
  line.setAttribute("aria-hidden", "true");
  document.body.append(line);
  function show() {
    const all = document.documentElement.scrollHeight - innerHeight;
    line.style.transform = `scaleX(${all > 0 ? Math.min(1, scrollY / all) : 0})`;
  }
  addEventListener("scroll", show, { passive: true });
  addEventListener("resize", show);
  show();
})();
