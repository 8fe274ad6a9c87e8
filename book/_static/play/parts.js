/* What the views are made of: tokens, bars, strips of colored numbers. */

"use strict";

const find = (id) => document.getElementById(`lm-${id}`);
const percent = (p) => (p > 0 && p < 0.005 ? "< 1 %" : `${Math.round(100 * p)} %`);
const quiet = matchMedia("(prefers-reduced-motion: reduce)");
const number = (a, digits = 2) => a.toFixed(digits).replace("-", "\u2212");
const rate = (n, ms) => (ms > 0 ? Math.round((1000 * n) / ms).toLocaleString("en") : "…");
const norm = (x) => Math.hypot(...x);

function make(tag, className = "", text = "", more = {}) {
  return Object.assign(document.createElement(tag), { className, textContent: text }, more);
}

/** A paragraph of texts and elements. */
function say(...parts) {
  const p = make("p");
  p.append(...parts);
  return p;
}

const visibleSigns = (text, space) => text.replaceAll(" ", space).replaceAll("\n", "\u21b5\n");

/** A token by itself, as code. */
function code(tokenizer, id) {
  return make("code", "", visibleSigns(tokenizer.spell([id])[0].text, "␣"));
}

/** Tokens in a row, one of which is chosen, by mouse, finger or arrow keys. */
class Chips {
  constructor(box, choose) {
    Object.assign(this, { box, choose });
    box.onkeydown = (event) => this.move(event);
    box.onclick = (event) => {
      const chip = event.target.closest(".lm-chip");
      if (chip) this.take([...box.children].indexOf(chip));
    };
  }

  draw(tokenizer, ids, chosen, { heat = [], typed = 0 } = {}) {
    const chips = this.box.children, shown = tokenizer.spell(ids);
    while (chips.length > ids.length) this.box.lastChild.remove();
    shown.forEach(({ text, part, parts }, t) => {
      const chip = chips[t] ?? this.box.appendChild(make("span", "lm-chip", "", { role: "option" }));
      const words = part > 1 ? "·" : visibleSigns(text, " ");
      const label = parts > 1 ? `${text}, part ${part} of ${parts}` : null;
      if (chip.textContent !== words) chip.textContent = words;
      if (chip.ariaLabel !== label) chip.ariaLabel = label;
      chip.classList.toggle("lm-end", tokenizer.names.has(ids[t]));
      chip.classList.toggle("lm-typed", t < typed);
      chip.ariaSelected = String(t === chosen);
      chip.tabIndex = t === chosen ? 0 : -1;
      chip.style.setProperty("--heat", `${Math.round(100 * Math.sqrt(heat[t] ?? 0))}%`);
    });
  }

  move(event) {
    const chips = [...this.box.children], last = chips.length - 1;
    const t = chips.findIndex((chip) => chip.ariaSelected === "true");
    const steps = { ArrowLeft: t - 1, ArrowRight: t + 1, Home: 0, End: last };
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.take(Math.max(0, Math.min(last, steps[event.key])));
  }

  take(t) {
    this.choose(t);
    this.box.children[t].focus();
  }
}

/** A word, a bar and a number: {text, p, own, most, taken}; with `press` it is a button. */
function drawBars(list, rows, press) {
  while (list.children.length > rows.length) list.lastChild.remove();
  rows.forEach(({ id, text, p, own = 0, most, taken }, i) => {
    const bar = list.children[i] ?? list.appendChild(makeBar(press));
    const [word, share] = bar.querySelectorAll(".lm-word, .lm-percent");
    word.textContent = visibleSigns(text, "␣");
    share.textContent = percent(p);
    bar.firstChild.value = id;
    bar.className = taken ? "lm-taken" : "";
    bar.style.setProperty("--own", own / most);
    bar.style.setProperty("--now", p / most);
  });
}

function makeBar(press) {
  const bar = make("li"), row = bar.appendChild(make(press ? "button" : "div"));
  row.classList.add("lm-row");
  row.append(make("span", "lm-word"), make("span", "lm-bar"), make("span", "lm-percent"));
  if (press) Object.assign(row, { type: "button", onclick: () => press(Number(row.value)) });
  return bar;
}

/** A picture of numbers, a row for each vector: blue below 0, orange above, `most` is full color. */
function paint(canvas, rows, most, mark = -1) {
  const height = rows.length, width = Math.max(...rows.map((row) => row.length));
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height), pixels = new Uint32Array(image.data.buffer);
  for (let y = 0; y < height; y++) {
    const row = rows[y], least = y === mark ? 64 : 0;
    for (let x = 0; x < row.length; x++) {
      const share = Math.min(1, Math.sqrt(Math.abs(row[x]) / most));
      const alpha = least + Math.round((255 - least) * share);
      pixels[y * width + x] = (alpha << 24) | (row[x] < 0 ? 0xcb894a : 0x1e77d9); // AABBGGRR
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** A vector as a strip of colors. Under the pointer, and with arrow keys, it says its numbers. */
function strip(name, vector, most = Math.max(...vector.map(Math.abs))) {
  const box = make("div", "lm-strip"), said = make("output");
  const canvas = make("canvas", "", "", { role: "slider", tabIndex: 0 });
  paint(canvas, [vector], most || 1);
  const head = make("span", "lm-strip-name", name);
  const size = make("span", "lm-strip-size", `length ${number(norm(vector))}`);
  let at = 0;
  const look = (i) => {
    at = Math.max(0, Math.min(vector.length - 1, i));
    said.value = `number ${at + 1} of ${vector.length}: ${number(vector[at], 3)}`;
    canvas.ariaValueNow = at + 1;
    canvas.ariaValueText = said.value;
    box.style.setProperty("--at", (at + 0.5) / vector.length);
  };
  Object.assign(canvas, { ariaLabel: `${name}, ${vector.length} numbers` });
  Object.assign(canvas, { ariaValueMin: 1, ariaValueMax: vector.length });
  look(0);
  canvas.onpointermove = canvas.onpointerdown = ({ offsetX }) =>
    look(Math.floor((offsetX / canvas.clientWidth) * vector.length));
  canvas.onkeydown = (event) => {
    const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: vector.length - 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    look(steps[event.key]);
  };
  box.append(head, size, canvas, said);
  return box;
}
