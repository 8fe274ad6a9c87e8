/* The steps of looking inside: what each explains, in words, pictures and the model's numbers. */

"use strict";

// The steps: each has a title, an explanation and pictures

function steps() {
  const blocks = trace.attention.flatMap((_, layer) => [
    { title: `Block ${layer + 1}: attention`, short: "attention", part: "attention", layer },
    { title: `Block ${layer + 1}: MLP`, short: "MLP", part: "mlp", layer },
  ]);
  return [
    { title: "Tokens", short: "tokens", part: "tokens" },
    { title: "Embedding", short: "embedding", part: "embedding", layer: 0 },
    ...blocks,
    { title: "Logits", short: "logits", part: "logits" },
  ];
}

const explain = {
  tokens: tokensStep,
  embedding: embeddingStep,
  attention: attentionStep,
  mlp: mlpStep,
  logits: logitsStep,
};

function tokensStep() {
  const { ids } = trace, list = make("ol", "lm-ids");
  ids.forEach((id, t) => {
    const item = make("li");
    item.append(name(t), make("span", "", String(id)));
    list.append(item);
  });
  const words = say(`The prompt becomes ${ids.length} tokens, and each token its id, a row number in the ` +
    `vocabulary of ${shape().vocab_size.toLocaleString("en")}. `, "You follow the token ", name(follow.t),
    ` with the id ${ids[follow.t]}: choose another one above, if you like.`);
  return [words, list];
}

function embeddingStep() {
  const { t } = follow, C = shape().d_model;
  const token = trace.seen.token[0][t], sum = trace.seen.embedding[0][t];
  const position = sum.map((a, i) => a - token[i]), most = Math.max(...sum.map(Math.abs));
  const words = say("The id picks a row of the embedding matrix: the vector of ", name(t), ` is ${C} learned ` +
    `numbers, ${few(token)}. A vector for place ${t} is added, ${few(position)}. The sum, ${few(sum)}, ` +
    "is where the residual stream of this token begins. Point at a strip to read its numbers: blue is below 0, orange above.");
  return [words, strip(`token ${trace.ids[t]}`, token, most), strip(`place ${t}`, position, most),
    strip("the sum of both", sum, most)];
}

const few = (x) => `(${Array.from(x.slice(0, 3), (a) => number(a)).join(", ")}, …)`;

function attentionStep({ layer }) {
  const { t, s, h } = follow, D = shape().d_model / shape().n_heads, C = shape().d_model;
  const row = trace.attention[layer][h][t], qkv = trace.seen.qkv[layer];
  const q = qkv[t].slice(h * D, (h + 1) * D), k = qkv[s].slice(C + h * D, C + (h + 1) * D);
  const product = q.reduce((sum, a, i) => sum + a * k[i], 0);
  const words = say(`Each of the ${shape().n_heads} heads searches for something else. In head ${h + 1} the query of `,
    name(t), " times the key of ", name(s), ` is ${number(product)}; divided by √${D} that is ` +
    `${number(product / Math.sqrt(D))}. The softmax over all ${t + 1} tokens up to here turns it into an attention weight ` +
    `of ${number(row[s], 3)}: that much of the value of `, name(s), " goes into the mixture. The mixtures of all heads, side by " +
    "side, pass one more matrix and are added to the stream.");
  return [words, headPicker(layer), bigMap(layer), lookList(row),
    strip("query", q), strip("key", k), ...added(layer, "attention")];
}

/** What a part of a block adds to the stream, and the stream after it. */
function added(layer, part) {
  const after = trace.seen[`after ${part}`][layer][follow.t], most = Math.max(...after.map(Math.abs));
  return [strip(`${part === "mlp" ? "the MLP" : "attention"} adds`, trace.seen[part][layer][follow.t], most),
    strip("the stream after it", after, most)];
}

function headPicker(layer) {
  const box = make("fieldset", "lm-pick"), maps = make("div", "lm-maps");
  maps.style.setProperty("--heads", Math.min(8, shape().n_heads));
  trace.attention[layer].forEach((rows, h) => {
    const label = make("label", "lm-head"), map = make("canvas", "lm-coarse");
    const radio = make("input", "", "", { type: "radio", name: "lm-inside-head", checked: h === follow.h });
    radio.ariaLabel = `Head ${h + 1}`;
    radio.onchange = () => {
      follow.h = h;
      followMost();
      showStep(step, "lm-inside-head");
    };
    paint(map, rows, 1, follow.t);
    label.append(radio, map, make("span", "lm-head-name", String(h + 1)));
    maps.append(label);
  });
  box.append(make("legend", "lm-title", "The heads: each line is a token, and shows how much it attends to those before"), maps);
  return box;
}

/** The weights of one head, large: under the pointer a pair of tokens and its number. */
function bigMap(layer) {
  const rows = trace.attention[layer][follow.h], T = trace.ids.length;
  const box = make("div", "lm-big"), names = make("div", "lm-big-names"), map = make("canvas", "lm-coarse");
  const said = make("output");
  paint(map, rows, 1, follow.t);
  map.role = "img";
  map.ariaLabel = `The attention weights of head ${follow.h + 1}, ${T} tokens by ${T}; those of the ` +
    "token that you follow stand in the list below.";
  trace.ids.forEach((_, t) => names.append(name(t)));
  const at = ({ offsetX, offsetY }) => [offsetY / map.clientHeight, offsetX / map.clientWidth]
    .map((share) => Math.max(0, Math.min(T - 1, Math.floor(share * T))));
  map.onpointermove = (event) => {
    const [t, s] = at(event);
    said.replaceChildren(name(t), " attends to ", name(s), s <= t ? `: ${number(rows[t][s], 3)}` : ": not allowed, it comes later");
  };
  map.onclick = (event) => {
    const [t, s] = at(event);
    if (s > t) return;
    Object.assign(follow, { t, s });
    showStep(step);
  };
  said.textContent = "Point at a square to read its number; press it to follow that pair.";
  box.append(names, map, said);
  return box;
}

/** What the followed token attends to, the most first, as bars that choose the key. */
function lookList(row) {
  const list = make("ol", "lm-bars"), order = ranking(row).slice(0, 5);
  list.ariaLabel = "It attends most to";
  const rows = order.map((s) => ({
    ...{ id: s, text: name(s).textContent, p: row[s], own: row[s], most: row[order[0]], taken: s === follow.s },
  }));
  drawBars(list, rows, (s) => {
    follow.s = s;
    showStep(step, s);
  });
  return list;
}

function mlpStep({ layer }) {
  const { t } = follow, hidden = trace.seen.hidden[layer][t];
  const active = hidden.filter((a) => a > 0).length, top = hidden.indexOf(Math.max(...hidden));
  const [before, now] = [2 * layer + 1, 2 * layer + 2].map((i) => trace.stages[i].lens[t][0]);
  const words = say("The MLP works on each token alone: its vector is stretched to ", `${hidden.length} numbers, ` +
    `of which ${active} are above 0 after GELU (number ${top + 1} is the largest, ${number(hidden[top])}), and pressed ` +
    `back to ${shape().d_model}. Asked before it, the model would have said `, token(before.id), ` (${percent(before.p)}); after it `,
    token(now.id), ` (${percent(now.p)}).`);
  return [words, strip("after GELU", hidden), ...added(layer, "mlp")];
}

const token = (id) => code(subject.tokenizer, id);

function logitsStep() {
  const { t } = follow, likeliest = trace.stages.at(-1).lens[t], [best] = likeliest;
  const list = make("ol", "lm-bars");
  drawBars(list, likeliest.map(({ id, p }) => ({
    ...{ id, text: token(id).textContent, p, own: p, most: best.p, taken: id === trace.ids[t + 1] },
  })));
  list.querySelectorAll(".lm-percent").forEach((e, i) => {
    e.textContent = `${number(likeliest[i].logit, 1)} → ${number(100 * likeliest[i].p, 1)} %`;
  });
  list.classList.add("lm-logits");
  const words = say("After a last LayerNorm the vector is multiplied with the vector of each token in the vocabulary: " +
    `${shape().vocab_size.toLocaleString("en")} logits. The highest, ${number(best.logit)}, is that of `, token(best.id),
    `; the softmax gives it a probability of ${number(100 * best.p, 1)} %. Drawn by these probabilities, the next token `,
    "stands behind the prompt, and everything begins again.");
  const more = make("button", "lm-button", "", { type: "button" });
  more.append("Write ", token(best.id), " and look again");
  more.onclick = () => {
    find("prompt").value = subject.tokenizer.decode([...trace.ids, best.id].filter((id) => !subject.tokenizer.names.has(id)));
    lookInside();
  };
  const canAdd = t === last() && !subject.tokenizer.names.has(best.id);
  return [words, list, ...(canAdd ? [more] : [])];
}
