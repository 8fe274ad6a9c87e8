// A word of the glossary shows its entry on a card, and what is cited its authors and title, under the pointer or the keyboard's focus.
(() => {
  const card = Object.assign(document.createElement("div"), { id: "lm-card", role: "tooltip", hidden: true });
  const links = document.querySelectorAll("a:is(.lm-term, .lm-cite)[title]");
  if (!links.length) return;
  document.body.append(card);
  let shown = null, later = 0;

  function place(link) {
    const box = [...link.getClientRects()].at(-1), edge = document.documentElement;
    const left = Math.min(box.left, edge.clientWidth - card.offsetWidth - 8);
    const under = box.bottom + card.offsetHeight + 8 < edge.clientHeight;
    card.style.left = `${Math.max(8, left) + scrollX}px`;
    card.style.top = `${(under ? box.bottom + 4 : box.top - card.offsetHeight - 4) + scrollY}px`;
  }

  function show(link) {
    clearTimeout(later);
    if (shown === link) return;
    hide();
    shown = link;
    card.textContent = link.dataset.about;
    card.hidden = false;
    link.setAttribute("aria-describedby", card.id);
    place(link);
  }

  function hide() {
    clearTimeout(later);
    shown?.removeAttribute("aria-describedby");
    card.hidden = true;
    shown = null;
  }

  const soon = (act) => { clearTimeout(later); later = setTimeout(act, 200); };
  for (const link of links) {
    link.dataset.about = link.title;
    link.removeAttribute("title");
    link.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && soon(() => show(link)));
    link.addEventListener("pointerleave", () => soon(hide));
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", hide);
  }
  card.addEventListener("pointerenter", () => clearTimeout(later)); // one may go to the card and read
  card.addEventListener("pointerleave", () => soon(hide));
  addEventListener("keydown", (event) => event.key === "Escape" && hide());
})();
