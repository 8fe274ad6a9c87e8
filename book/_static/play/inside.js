/* Looking inside: one prompt from tokens to the next token, step by step, with the real numbers. */

"use strict";

const SHOWN = 24; // tokens of a prompt at most

let subject; // the Model that is looked into
let trace = null; // all that happened in it, as Host.trace tells
let follow = { t: 0, s: 0, h: 0 }; // the token that is followed, the one it attends to, the head
let step = 0;
let tokenChips;

const last = () => trace.ids.length - 1;
const shape = () => subject.config;
const name = (t) => code(subject.tokenizer, trace.ids[t]);

// Getting there

async function lookInside() {
  const button = find("look");
  if (button.ariaBusy) return;
  button.ariaBusy = "true";
  try {
    subject = await currentModel();
    const { tokenizer, config } = subject, most = Math.min(SHOWN, config.context_length);
    const all = [tokenizer.end, ...tokenizer.encode(find("prompt").value)], ids = all.slice(-most);
    trace = await subject.engine.ask("trace", ids);
    follow = { t: last(), s: last(), h: 0 };
    button.textContent = "Look inside";
    find("inside-status").textContent = all.length > most
      ? `The prompt has ${all.length} tokens; the last ${most} are shown.`
      : `The model has read ${ids.length} tokens. Go on with Next.`;
    drawPath();
    showStep(0);
  } catch {
    find("inside-status").textContent = "The model's file can't be loaded from here. Try again?";
  }
  button.ariaBusy = null;
}

function forgetInside() {
  trace = null;
  find("tour").hidden = true;
}

/** In an attention step: the key that the followed token attends to most, in its head. */
function followMost() {
  const { layer, part } = steps()[step];
  if (part === "attention") follow.s = ranking(trace.attention[layer][follow.h][follow.t])[0];
}

/** The head that tells most: it attends to one token that is neither the first nor the token itself. */
function chooseHead() {
  const { layer, part } = steps()[step];
  if (part !== "attention") return;
  const most = trace.attention[layer].map((rows) => Math.max(0, ...rows[follow.t].slice(1, -1)));
  follow.h = most.indexOf(Math.max(...most));
}

// What stays on the page

function showStep(n, focus) {
  const all = steps();
  if (n !== step) {
    step = n;
    chooseHead();
    followMost();
  }
  const { title, part, ...more } = all[step], [words, ...pictures] = explain[part](more);
  find("tour").hidden = false;
  tokenChips.draw(subject.tokenizer, trace.ids, follow.t, {
    heat: part === "attention" ? trace.attention[more.layer][follow.h][follow.t] : [],
  });
  find("step-title").textContent = `Step ${step + 1} of ${all.length}. ${title}`;
  find("step-said").replaceChildren(...words.childNodes);
  find("step-body").replaceChildren(...pictures);
  find("previous").disabled = step === 0;
  find("next").disabled = step === all.length - 1;
  [...find("path").querySelectorAll("button")].forEach((button, i) => {
    button.ariaCurrent = i === step ? "step" : null;
  });
  drawLens(part, more.layer);
  if (focus === "lm-inside-head") find("step-body").querySelector("input:checked").focus();
  else if (focus !== undefined) find("step-body").querySelector(`.lm-row[value="${focus}"]`)?.focus();
}

/** The way through the model, as buttons: a block is one piece. */
function drawPath() {
  const items = [];
  steps().forEach(({ title, short, layer, part }, i) => {
    const button = make("button", "", short, { type: "button", onclick: () => showStep(i) });
    button.ariaLabel = title;
    if (part !== "mlp") items.push(make("li"));
    if (part === "attention") items.at(-1).append(make("span", "lm-block", `block ${layer + 1}`));
    items.at(-1).append(button);
  });
  find("path").replaceChildren(...items);
}

/** How the stream of the followed token grows, and what the model would say after each stage. */
function drawLens(part, layer) {
  const { t } = follow, rows = trace.stages, sizes = rows.map(({ x }) => norm(x[t]));
  const most = Math.max(...sizes);
  find("lens").replaceChildren(...rows.map((stage, i) => {
    const [first, second] = stage.lens[t], row = make("tr"), size = make("td"), bar = make("span", "lm-size");
    const where = stage.part === "embedding" ? "embedding" : `${stage.part === "mlp" ? "MLP" : "attention"} ${stage.layer + 1}`;
    bar.style.width = `${(100 * sizes[i]) / most}%`;
    size.append(number(sizes[i], 1), bar);
    const says = make("td");
    says.append(token(first.id), ` ${percent(first.p)}`, make("span", "lm-second", ""));
    says.lastChild.append(", ", token(second.id), ` ${percent(second.p)}`);
    row.append(make("th", "", where, { scope: "row" }), size, says);
    row.ariaCurrent = stage.part === part && stage.layer === layer ? "step" : null;
    return row;
  }));
}

function wireInside() {
  find("inside-form").onsubmit = (event) => {
    event.preventDefault();
    lookInside();
  };
  find("previous").onclick = () => showStep(step - 1);
  find("next").onclick = () => showStep(step + 1);
  tokenChips = new Chips(find("inside-chips"), (t) => {
    Object.assign(follow, { t, s: t });
    followMost();
    showStep(step);
  });
}

wireInside();
