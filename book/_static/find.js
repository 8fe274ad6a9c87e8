// The search answers while one types: first what a term means and where it is taught, then sections.
(() => {
  const here = new URL("..", document.currentScript.src); // the site's first folder
  const SHOWN = 8;
  let book = null, loading = null;

  function load() {
    loading ||= new Promise((done) => {
      globalThis.bookSections = (index) => { book = prepare(index); done(); };
      document.head.append(Object.assign(document.createElement("script"), { src: `${here}_static/sections.js` }));
    });
    return loading;
  }

  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f’']/g, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  const stem = (word) => (word.length > 3 ? word.replace(/(?<![su])s$/, "") : word);
  const fold = (text) => plain(text).split(" ").map(stem).join(" ");
  const solid = (text) => text.replaceAll(" ", ""); // "fine tuning" and "finetuning" are one

  function prepare({ pages, sections, terms }) {
    const taught = new Map(sections.map((one) => [`${pages[one[0]][0]}#${one[1]}`, one]));
    return {
      terms: terms.map(([term, others, about, anchor, place]) => {
        const section = taught.get(place);
        return {
          names: [term, ...others].map(fold), title: term, about,
          address: section ? place : `book/glossary.html#${anchor}`,
          where: section ? `${section[2]}, in ${pages[section[0]][1]}` : "Glossary",
        };
      }),
      sections: sections.map(([page, id, title, text]) => ({
        title, text, folded: ` ${fold(title)} `, words: ` ${fold(text)} `,
        weight: pages[page][2], where: pages[page][1], address: `${pages[page][0]}#${id}`,
      })),
    };
  }

  function termScore(term, query) {
    let best = 0;
    term.names.forEach((name, i) => {
      const own = i ? 0 : 5;
      if (name === query || solid(name) === solid(query)) best = Math.max(best, 100 + own);
      else if (query.length > 2 && name.startsWith(query)) best = Math.max(best, 60 + own - name.length / 10);
      else if (query.length > 3 && ` ${query} `.includes(` ${name} `)) best = Math.max(best, 40 + own + name.length);
      else if (query.length > 3 && name.includes(` ${query}`)) best = Math.max(best, 30 + own);
    });
    return best;
  }

  function sectionScore(section, words, query) {
    let score = section.folded.includes(` ${query}`) ? 40 : 0;
    for (const word of words) {
      const inTitle = section.folded.includes(` ${word}`), times = section.words.split(` ${word}`).length - 1;
      if (!inTitle && !times) return 0;
      score += (inTitle ? 12 : 0) + Math.log2(1 + times) * 2;
    }
    if (words.length > 1) score += 6 * Math.log2(section.words.split(` ${query}`).length);
    return score * section.weight;
  }

  function search(text) {
    const query = fold(text), words = query.split(" ").filter(Boolean);
    if (!words.length) return [];
    const best = (all, score) => all.map((one) => [score(one), one]).filter(([s]) => s > 0).sort(([a], [b]) => b - a);
    const meant = best(book.terms, (one) => termScore(one, query));
    const top = meant[0]?.[0] ?? 0;
    const said = meant.filter(([s]) => s >= Math.min(top, 60) && s > top - 50).slice(0, 3).map(([, one]) => ({ ...one, kind: "term" }));
    const found = best(book.sections, (one) => sectionScore(one, words, query)).map(([, one]) => ({ ...one, kind: "section" }));
    const seen = new Set(said.map((one) => one.address));
    return [...said, ...found.filter((one) => !seen.has(one.address))].slice(0, SHOWN);
  }

  function snippet(one, words) {
    if (one.about) return one.about;
    const at = Math.max(0, ...words.map((word) => one.text.toLowerCase().indexOf(word)));
    const from = at < 60 ? 0 : one.text.indexOf(" ", at - 60) + 1;
    return (from ? "… " : "") + one.text.slice(from, from + 150) + (one.text.length > from + 150 ? " …" : "");
  }

  function row(one, words) {
    const item = document.createElement("li"), link = document.createElement("a");
    const part = (tag, kind, text) => Object.assign(document.createElement(tag), { className: kind, textContent: text });
    link.href = here + one.address;
    link.append(part("span", "lm-found-title", one.title), part("span", "lm-found-where", one.where));
    item.append(link, part("span", "lm-found-about", snippet(one, words)));
    item.className = `lm-found-${one.kind}`;
    return item;
  }

  function attach(form) {
    const input = form.querySelector("input[type=search]"), box = document.createElement("div");
    const status = Object.assign(document.createElement("p"), { className: "lm-unseen", role: "status" });
    const list = document.createElement("ul");
    box.className = "lm-found";
    box.append(status, list);
    form.append(box);
    async function answer() {
      await load();
      const words = fold(input.value).split(" ").filter(Boolean), found = search(input.value);
      list.replaceChildren(...found.map((one) => row(one, words)));
      status.textContent = words.length ? `${found.length || "no"} ${found.length === 1 ? "answer" : "answers"}` : "";
      status.classList.toggle("lm-unseen", found.length > 0 || !words.length);
    }
    input.addEventListener("focus", load);
    input.addEventListener("input", answer);
    form.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], links = [...list.querySelectorAll("a")];
      if (!step || !links.length) return;
      event.preventDefault();
      const next = links.indexOf(document.activeElement) + step;
      next < 0 ? input.focus() : links[Math.min(next, links.length - 1)].focus();
    });
    list.addEventListener("click", (event) => event.target.closest("a") && form.closest("dialog")?.close());
    const asked = new URLSearchParams(location.search).get("q");
    if (asked && !form.closest("dialog")) { input.value = asked; answer(); }
  }

  document.querySelectorAll("form.bd-search").forEach(attach);
})();
