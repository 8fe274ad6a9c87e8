/* Writing: the model reads a beginning, says what comes next, and one token after another is drawn. */

"use strict";

const TOP_K = [1, 2, 3, 5, 10, 20, 50, 100, 200, Infinity]; // the places of a slider
const PAUSE = 60; // ms after each token, so that one can watch; the model is far quicker
const AT_ONCE = 8; // tokens at full speed before the page hears of them
const MAPS = 300; // ms between pictures of the attention while writing: they take the longest
const MOST = 300; // tokens written at a time, should a story not end
const LONGEST = 10_000; // characters of a beginning that are read

let model, tokenizer; // once they are loaded
let ids = []; // the text: the end of the story before, what the reader typed, what was written
let typed = 1; // how many of the ids are the reader's, with the first
let shown = []; // the tokens that the model has read and the page shows: the last ones of ids
let chosen = null; // the place in `shown` of the token that is looked at; null is the last
let head = [0, 0]; // the layer and head that are looked at
let writing = null; // a mark of the writing that goes on; another one, or null, stops it
let wanted = 0; // counts what should be read: only the last is
let beginnings = 0; // counts them
let settled = Promise.resolve(); // when the last has been read
let mapped = 0; // when the attention was last drawn
let chips;

const place = () => Math.min(chosen ?? Infinity, shown.length - 1);
const ended = () => ids.length > 1 && ids.at(-1) === tokenizer.end;

// Loading: only when a reader asks for it

async function load() {
  if (find("write").ariaBusy) return;
  find("write").ariaBusy = "true";
  find("write").textContent = "Loading …";
  try {
    await use(await bookModel());
  } catch {
    find("status").textContent = "The model's file can't be loaded from here. Try again?";
    find("write").textContent = "Load the model";
  }
  find("write").ariaBusy = null;
}

let book; // the book's model, for all views

/** The address that a part of the page names for its model, as a worker needs it. */
const modelUrl = (part) => new URL(part.dataset.model, document.baseURI).href;

function bookModel() {
  book ??= Model.load(modelUrl(document.querySelector(".lm-play")));
  book.catch(() => (book = undefined));
  return book;
}

/** Write with this model from now on. */
async function use(one) {
  writing = null;
  [model, tokenizer, head, shown] = [one, one.tokenizer, [0, 0], []];
  for (const id of ["inside", "one", "back", "again", "more"]) find(id).hidden = false;
  drawHeads();
  await begin();
}

// What the reader does

async function begin() {
  const text = find("beginning").value, read = text.slice(-LONGEST);
  ids = [tokenizer.end, ...tokenizer.encode(read)];
  typed = ids.length;
  const dropped = ids.length - model.visible(ids).length;
  const cut = text.length > LONGEST ? `Of your ${text.length} characters the last ${LONGEST} are read. ` : "";
  const said = dropped
    ? `${cut}Your beginning has ${ids.length} tokens: the first ${dropped} are dropped, since the ` +
      `model's context holds ${model.config.context_length}.`
    : text ? "The model has read your beginning." : "Nothing yet: the model begins a story by itself.";
  beginnings += 1;
  if ((await change()) && find("status").textContent !== said) find("status").textContent = said;
}

/** Keep the first n tokens. The box shows the reader's own: fewer, if they were among the others. */
function cut(n) {
  ids = ids.slice(0, n);
  if (n < typed) find("beginning").value = tokenizer.decode(ids.slice(1));
  typed = Math.min(typed, n);
}

/** Write a token after the chosen one; what stood there makes way. */
function addToken(id) {
  cut(ids.length - shown.length + place() + 1);
  ids.push(id);
  find("status").textContent = "";
  return change();
}

/** Let the model read what has changed, and show it. -> whether nothing else came meanwhile */
function change() {
  return (settled = readAndShow());
}

async function readAndShow() {
  const mine = ++wanted, now = model.visible(ids);
  chosen = null;
  const still = () => mine === wanted;
  if (!(await model.read(now, { wanted: still, ahead: writing !== null })) || !still()) return false;
  shown = now;
  if (!writing) draw();
  return true;
}

const settings = () => ({
  temperature: Number(find("temperature").value),
  topK: TOP_K[find("top-k").value],
  topP: Number(find("top-p").value),
});

const seed = () => Math.trunc(Number(find("seed").value)) || 0;

/** The token that the seed draws at this place: the same whenever the text is the same. */
async function writeOne() {
  await settled;
  chosen = null;
  const probs = nextTokenProbs(model.logits[shown.length - 1], settings());
  await addToken(sampleToken(probs, uniform(seed(), ids.length)));
  return 1;
}

/** The next tokens by the same seed, in one go. */
async function writeSome(count, mine) {
  await settled;
  const draws = Array.from({ length: count }, (_, i) => uniform(seed(), ids.length + i));
  const how = { draws, settings: settings(), stops: [tokenizer.end] };
  const added = await model.write(shown, how);
  if (writing !== mine) return 0; // the reader has done something else meanwhile
  ids.push(...added);
  shown = model.visible(ids);
  return added.length;
}

async function write() {
  if (ended()) {
    find("seed").value = seed() + 1; // the same one would tell the same story
    await begin();
  }
  const mine = (writing = Symbol("writing")), start = ids.length, began = performance.now();
  const fast = find("fast").checked;
  const beginning = beginnings;
  let n = 0, computed = 0;
  draw();
  while (writing === mine && n < MOST && !(n && ended())) {
    const room = model.config.context_length - shown.length;
    if (room > 0) n += await writeSome(Math.min(room, fast ? AT_ONCE : 1), mine);
    else n += await writeOne();
    computed += model.ms;
    // who asked for no motion gets whole sentences
    const due = !quiet.matches || fast || /[.!?]/.test(tokenizer.tokens[ids.at(-1)]);
    if (due && writing === mine) draw();
    sayAloud(start);
    if (due) await new Promise((resolve) => setTimeout(resolve, fast || quiet.matches ? 0 : PAUSE));
  }
  if ((writing !== mine && writing) || beginning !== beginnings) return; // the next has begun
  const stopped = writing !== mine;
  writing = null;
  const end = ended() ? " The end." : stopped ? " Stopped." : "";
  find("status").textContent = `${n} tokens, ${rate(n, performance.now() - began)} a second; ` +
    `the model alone computes ${rate(n, computed)} a second.${end}`;
  draw();
}

/** Sentence by sentence, for those who listen. */
function sayAloud(start) {
  const text = tokenizer.decode(ids.slice(start).filter((id) => id !== tokenizer.end));
  const sentences = text.split(/(?<=[.!?]["']?) /);
  const whole = ended() ? sentences.at(-1) : sentences.at(-2);
  if (whole && whole !== find("log").textContent) find("log").textContent = whole;
}

// Wires

/** Whatever the reader does stops the writing; the button that says "Stop" does only that. */
const interrupt = (act) => (event) => {
  const stop = writing && event.currentTarget === find("write");
  writing = null;
  if (!stop) act(event);
};

function wireWriting() {
  const said = {
    temperature: ({ temperature: t }) => (t ? t.toFixed(1) : "0"),
    "top-k": ({ topK }) => (topK < Infinity ? String(topK) : "all"),
    "top-p": ({ topP }) => topP.toFixed(2),
  };
  for (const [id, words] of Object.entries(said)) {
    const tell = () => {
      find(id).ariaValueText = find(id).nextElementSibling.value = words(settings());
      if (shown.length) drawNext();
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
      return change();
    },
    again: begin,
  };
  for (const [id, act] of Object.entries(actions)) find(id).onclick = interrupt(act);
  find("beginning").addEventListener("input", interrupt(() => model && begin()));
  chips = new Chips(find("chips"), (t) => {
    writing = null;
    chosen = t;
    draw();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") writing = null;
  });
}

wireWriting();
