/* What a writing model is shown to do: its tokens, what it expects next, what its heads attend to. */

"use strict";

function draw() {
  find("write").textContent = writing ? "Stop" : ended() ? "Write another story" : "Write a story";
  find("said").ariaLive = writing ? "off" : "polite";
  const [layer, h] = head, row = model.attention[layer][h][place()];
  chips.draw(tokenizer, shown, place(), { heat: row, typed: typed - (ids.length - shown.length) });
  const before = ids.length - shown.length, T = model.config.context_length;
  find("count").textContent = `${shown.length} of at most ${T} tokens` +
    (before ? `; ${before} before them are no longer read` : "");
  find("said").replaceChildren(...describe(row));
  drawNext();
  drawMaps();
}

/** The chosen token in words. */
function describe(row) {
  const t = place(), name = (s) => code(tokenizer, shown[s]);
  const looks = ranking(row).slice(0, 3).filter((s) => row[s] >= 0.01);
  const parts = ["Token ", name(t), ` has the id ${shown[t]}. `];
  if (t > 0) {
    const p = nextTokenProbs(model.logits[t - 1])[shown[t]];
    parts.push(`Here the model had given it ${percent(p)}. `);
  }
  parts.push(`In layer ${head[0] + 1}, head ${head[1] + 1} it attends most to `);
  looks.forEach((s, i) => parts.push(i ? ", " : "", name(s), ` ${percent(row[s])}`));
  return [...parts, "."];
}

function drawNext() {
  const t = place(), logits = model.logits[t];
  const own = nextTokenProbs(logits), now = nextTokenProbs(logits, settings());
  const likeliest = ranking(logits).slice(0, 10);
  const most = Math.max(own[likeliest[0]], now[likeliest[0]]); // as wide as there is room
  const rows = likeliest.map((id) => ({
    ...{ id, text: tokenizer.spell([id])[0].text, most },
    ...{ p: now[id], own: own[id], taken: id === shown[t + 1] },
  }));
  drawBars(find("bars"), rows, (id) => {
    writing = null;
    addToken(id);
  });
  find("bars-title").replaceChildren("What comes after ", code(tokenizer, shown[t]), "?");
}

function drawHeads() {
  find("maps").replaceChildren();
  find("maps").style.setProperty("--heads", Math.min(model.config.n_heads, 8));
  model.attention.forEach((heads, l) => heads.forEach((_, h) => {
    const label = make("label", "lm-head"), radio = make("input"), map = make("canvas");
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
  if (!find("maps").checkVisibility?.()) return; // in the introduction
  if (writing && performance.now() - mapped < MAPS) return;
  mapped = performance.now();
  const heads = model.config.n_heads;
  find("maps").querySelectorAll("canvas").forEach((map, i) => {
    const rows = model.attention[Math.floor(i / heads)][i % heads].slice(0, shown.length);
    paint(map, rows, 1, place());
    map.classList.toggle("lm-coarse", shown.length < 40);
  });
}
