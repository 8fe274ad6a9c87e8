/* The page around the model of tales.js: what it reads, expects, looks at and writes. */

"use strict";

const TOP_K = [1, 2, 3, 5, 10, 20, 50, 100, 200, Infinity]; // the places of a slider
const PAUSE = 60; // ms after each token, so that one can watch; the model is far quicker
const MOST = 200; // tokens written at a time, should a story not end

const find = (id) => document.getElementById(`lm-${id}`);
const percent = (p) => (p > 0 && p < 0.005 ? "< 1 %" : `${Math.round(100 * p)} %`);
const quiet = matchMedia("(prefers-reduced-motion: reduce)");

let tokenizer, model; // once they are loaded
let ids = []; // the text: the end of the story before, what the reader typed, what was written
let typed = 1; // how many of the ids are the reader's, with the first
let chosen = null; // the place in the window of the token that is looked at; null is the last
let head = [0, 0]; // the layer and head that are looked at
let writing = null; // a mark of the writing that goes on; another one, or null, stops it
let spent = 0; // ms that the model has computed

/** The tokens that the model sees, and those of the whole text that it doesn't. */
const visible = () => ids.slice(-model.config.context_length);
const place = () => chosen ?? visible().length - 1;
const ended = () => ids.length > 1 && ids.at(-1) === tokenizer.end;

function make(tag, className, text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

/** A token as one can see it; bytes that are no text in hexadecimal. */
function show(id, space = " ") {
  if (id === tokenizer.end) return "<|endoftext|>";
  const text = tokenizer.decode([id]);
  if (!text.includes("\ufffd")) return text.replaceAll(" ", space).replaceAll("\n", "\u21b5\n");
  return Array.from(tokenizer.tokens[id], (c) => `\\x${c.charCodeAt(0).toString(16)}`).join("");
}

// Loading: only when a reader asks for it

function load() {
  if (find("write").ariaBusy) return;
  find("write").ariaBusy = "true";
  find("write").textContent = "Loading …";
  const script = make("script");
  script.onerror = () => {
    find("status").textContent = "The model's file can't be loaded from here. Try again?";
    find("write").textContent = "Load the model";
    find("write").ariaBusy = null;
  };
  script.src = document.querySelector(".lm-play").dataset.model;
  document.head.append(script);
}

/** What the model's file calls. */
function talesModel(file) {
  tokenizer = new Tokenizer(file.tokens, file.special_tokens);
  model = new GPT({ config: file.config, weights: unpack(file) });
  for (const id of ["inside", "one", "back", "again"]) find(id).hidden = false;
  find("write").ariaBusy = null;
  find("status").textContent = "The model is here, and has read your beginning.";
  drawHeads();
  begin();
}

// What the reader does

function begin() {
  ids = [tokenizer.end, ...tokenizer.encode(find("beginning").value)];
  typed = ids.length;
  change();
}

/** Keep the first n tokens. The box shows the reader's own: fewer, if they were among the others. */
function cut(n) {
  ids = ids.slice(0, n);
  if (n < typed) find("beginning").value = tokenizer.decode(ids.slice(1));
  typed = Math.min(typed, n);
}

/** Write a token after the chosen one; what stood there makes way. */
function add(id) {
  cut(ids.length - visible().length + place() + 1);
  ids.push(id);
  change();
}

function change() {
  chosen = null;
  const start = performance.now();
  model.read(visible());
  spent += performance.now() - start;
  // who asked for no motion gets whole sentences
  if (!(writing && quiet.matches) || /[.!?]/.test(show(ids.at(-1)))) draw();
}

const settings = () => ({
  temperature: Number(find("temperature").value),
  topK: TOP_K[find("top-k").value],
  topP: Number(find("top-p").value),
});

function writeOne() {
  chosen = null;
  add(sampleToken(nextTokenProbs(model.logits.at(-1), settings()), Math.random()));
}

async function write() {
  if (ended()) begin();
  const mine = (writing = Symbol("writing")), start = ids.length;
  let n = 0;
  for (spent = 0; writing === mine && n < MOST && !(n && ended()); n++) {
    writeOne();
    say(start);
    await new Promise((resolve) => setTimeout(resolve, quiet.matches ? 0 : PAUSE));
  }
  if (writing !== mine && writing) return; // the next story has begun
  writing = null;
  const ms = (spent / n).toFixed(1), end = ended() ? " The end." : "";
  find("status").textContent = `${n} tokens, ${ms} ms of computing for each.${end}`;
  draw();
}

/** Sentence by sentence, for those who listen. */
function say(start) {
  const text = tokenizer.decode(ids.slice(start).filter((id) => id !== tokenizer.end));
  const sentences = text.split(/(?<=[.!?]["']?) /);
  const whole = ended() ? sentences.at(-1) : sentences.at(-2);
  if (whole && whole !== find("log").textContent) find("log").textContent = whole;
}

// What the reader sees

function draw() {
  find("write").textContent = writing ? "Stop" : ended() ? "Write another story" : "Write a story";
  find("said").ariaLive = writing ? "off" : "polite";
  drawChips();
  drawBars();
  drawMaps();
}

function drawChips() {
  const shown = visible(), chips = find("chips"), [layer, h] = head;
  const row = model.attention[layer][h][place()];
  while (chips.children.length > shown.length) chips.lastChild.remove();
  shown.forEach((id, t) => {
    const chip = chips.children[t] ?? chips.appendChild(make("span", "lm-chip"));
    if (chip.dataset.id !== String(id)) {
      Object.assign(chip, { role: "option", textContent: show(id) });
      chip.dataset.id = id;
      chip.classList.toggle("lm-end", id === tokenizer.end);
    }
    chip.classList.toggle("lm-typed", t < shown.length - ids.length + typed);
    chip.ariaSelected = String(t === place());
    chip.tabIndex = t === place() ? 0 : -1;
    chip.style.setProperty("--heat", `${Math.round(100 * Math.sqrt(row[t] ?? 0))}%`);
  });
  find("count").textContent = `${shown.length} of at most ${model.config.context_length} tokens`;
  find("said").replaceChildren(...describe(shown, row));
}

/** The chosen token in words. */
function describe(shown, row) {
  const t = place(), name = (s) => make("code", "", show(shown[s], "␣"));
  const looks = ranking(row).slice(0, 3).filter((s) => row[s] >= 0.01);
  const parts = ["Token ", name(t), ` has the id ${shown[t]}. `];
  if (t > 0) {
    const p = nextTokenProbs(model.logits[t - 1])[shown[t]];
    parts.push(`Here the model had given it ${percent(p)}. `);
  }
  parts.push(`In layer ${head[0] + 1}, head ${head[1] + 1} it looks most at `);
  looks.forEach((s, i) => parts.push(i ? ", " : "", name(s), ` ${percent(row[s])}`));
  return [...parts, "."];
}

function drawBars() {
  const t = place(), logits = model.logits[t], bars = find("bars");
  const own = nextTokenProbs(logits), now = nextTokenProbs(logits, settings());
  const likeliest = ranking(logits).slice(0, 10);
  const most = Math.max(own[likeliest[0]], now[likeliest[0]]); // as wide as there is room
  likeliest.forEach((id, i) => {
    const bar = bars.children[i] ?? bars.appendChild(makeBar());
    const [word, number] = bar.querySelectorAll(".lm-word, .lm-percent");
    word.textContent = show(id, "␣");
    number.textContent = percent(now[id]);
    bar.firstChild.value = id;
    bar.className = id === visible()[t + 1] ? "lm-taken" : "";
    bar.style.setProperty("--own", own[id] / most);
    bar.style.setProperty("--now", now[id] / most);
  });
  const after = make("code", "", show(visible()[t], "␣"));
  find("bars-title").replaceChildren("What comes after ", after, "?");
}

function makeBar() {
  const bar = make("li", ""), button = bar.appendChild(make("button", ""));
  button.type = "button";
  button.append(make("span", "lm-word"), make("span", "lm-bar"), make("span", "lm-percent"));
  button.onclick = interrupt(() => add(Number(button.value)));
  return bar;
}

function drawHeads() {
  model.attention.forEach((heads, l) => heads.forEach((_, h) => {
    const label = make("label", "lm-head"), radio = make("input", ""), map = make("canvas", "");
    Object.assign(radio, { type: "radio", name: "lm-head", checked: l === head[0] && h === head[1] });
    radio.ariaLabel = `Layer ${l + 1}, head ${h + 1}`;
    radio.onchange = () => {
      head = [l, h];
      draw();
    };
    label.append(radio, map);
    find("maps").append(label);
  }));
}

/** The attention weights of each head as a picture, a pixel for each pair of tokens. */
function drawMaps() {
  const T = visible().length;
  find("maps").querySelectorAll("canvas").forEach((map, i) => {
    const heads = model.config.n_heads, rows = model.attention[Math.floor(i / heads)][i % heads];
    map.width = map.height = T;
    map.classList.toggle("lm-coarse", T < 40);
    const image = new ImageData(T, T), pixels = new Uint32Array(image.data.buffer); // 0xAABBGGRR
    for (let t = 0; t < T; t++) {
      const [color, least] = t === place() ? [0x1e77d9, 60] : [0xcb894a, 0];
      for (let s = 0; s <= t; s++) {
        const alpha = Math.min(255, Math.round(least + 255 * Math.sqrt(rows[t][s])));
        pixels[t * T + s] = color + alpha * 2 ** 24;
      }
    }
    map.getContext("2d").putImageData(image, 0, 0);
  });
}

// Wires

function moveThroughChips(event) {
  const last = visible().length - 1;
  const steps = { ArrowLeft: place() - 1, ArrowRight: place() + 1, Home: 0, End: last };
  if (!(event.key in steps)) return;
  event.preventDefault();
  writing = null;
  choosePlace(Math.max(0, Math.min(last, steps[event.key])));
}

function choosePlace(t) {
  chosen = t;
  draw();
  find("chips").children[t].focus();
}

/** Whatever the reader does stops the writing; the button that says "Stop" does only that. */
const interrupt = (act) => (event) => {
  const stop = writing && event.currentTarget === find("write");
  writing = null;
  if (!stop) act(event);
};

function wire() {
  const said = {
    temperature: ({ temperature: t }) => (t ? t.toFixed(1) : "0"),
    "top-k": ({ topK }) => (topK < Infinity ? String(topK) : "all"),
    "top-p": ({ topP }) => topP.toFixed(2),
  };
  for (const [id, words] of Object.entries(said)) {
    const tell = () => {
      find(id).ariaValueText = find(id).nextElementSibling.value = words(settings());
      if (model) drawBars();
    };
    find(id).addEventListener("input", tell);
    tell();
  }
  find("beginning").addEventListener("focus", () => model || load());
  const actions = {
    write: () => (model ? write() : load()),
    one: writeOne,
    back: () => {
      cut(Math.max(1, ids.length - 1));
      change();
    },
    again: begin,
  };
  for (const [id, act] of Object.entries(actions)) find(id).onclick = interrupt(act);
  find("beginning").addEventListener("input", interrupt(() => model && begin()));
  find("chips").onkeydown = moveThroughChips;
  find("chips").onclick = interrupt((event) => {
    const chip = event.target.closest(".lm-chip");
    if (chip) choosePlace([...find("chips").children].indexOf(chip));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") writing = null;
  });
}

wire();
