/* A GPT: token ids to logits, and all that happens on the way.

   The same computation as shared/model/gpt.py, for one text: T tokens, C = d_model, H heads,
   D = C / H, V vocabulary. weights.js says where the numbers come from. */

"use strict";

/** weight @ x + bias.  (N, M), (M,) -> (N,)

    Four rows at once: each number of x is fetched once for them, and four sums can go on side by
    side, where an addition to one of them must wait for the last. */
function linear(x, weight, bias) {
  const M = x.length, N = weight.length / M, y = new Float32Array(N);
  let n = 0;
  for (let w = 0; n + 3 < N; n += 4, w += 4 * M) {
    let a = 0, b = 0, c = 0, d = 0;
    for (let m = 0; m < M; m++) {
      const value = x[m];
      a += weight[w + m] * value;
      b += weight[w + M + m] * value;
      c += weight[w + 2 * M + m] * value;
      d += weight[w + 3 * M + m] * value;
    }
    [y[n], y[n + 1], y[n + 2], y[n + 3]] = [a, b, c, d];
  }
  for (; n < N; n++) for (let m = 0; m < M; m++) y[n] += weight[n * M + m] * x[m];
  if (bias) add(y, bias);
  return y;
}

/** In place. */
function add(x, y) {
  for (let i = 0; i < x.length; i++) x[i] += y[i];
}

function layerNorm(x, weight, bias) {
  const C = x.length, y = new Float32Array(C);
  let mean = 0, variance = 0;
  for (let i = 0; i < C; i++) mean += x[i] / C;
  for (let i = 0; i < C; i++) variance += (x[i] - mean) ** 2 / C;
  const scale = 1 / Math.sqrt(variance + 1e-5);
  for (let i = 0; i < C; i++) y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
  return y;
}

function gelu(a) {
  return 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a)));
}

/** What has been read of one text, and stays: the KV cache, attention weights, logits. */
class Reading {
  constructor({ n_layers: L, n_heads: H, context_length: T, d_model: C }) {
    Object.assign(this, { ids: [], logits: [] });
    this.keys = Array.from({ length: L }, () => new Float32Array(T * C));
    this.values = Array.from({ length: L }, () => new Float32Array(T * C));
    // attention[layer][head][t] are the weights of token t on the tokens 0 ... t
    this.attention = this.keys.map(() => Array.from({ length: H }, () => []));
  }

  /** How many tokens at the head of a text have been read. */
  common(ids) {
    let t = 0;
    while (t < ids.length && ids[t] === this.ids[t]) t++;
    return t;
  }
}

class GPT {
  constructor({ config, weights }) {
    Object.assign(this, { config, weights });
  }

  /** Logits after each token, (T, V). Only what differs from the last text is computed again. */
  read(ids, reading, note) {
    const same = reading.common(ids);
    reading.ids = ids.slice(0, same);
    for (const id of ids.slice(same)) {
      const t = reading.ids.length;
      reading.logits[t] = this.logits(this.step(id, t, reading, note));
      reading.ids.push(id);
    }
    reading.logits.length = ids.length;
    return reading.logits;
  }

  /** The vector of token `id` at place t after the last block; the tokens before it were read.

      `note(what, layer, vector)` hears of all that is computed. */
  step(id, t, reading, note = () => {}) {
    const w = this.weights, C = this.config.d_model;
    const x = w["wte.weight"].slice(id * C, (id + 1) * C);
    note("token", 0, x.slice());
    add(x, w["wpe.weight"].subarray(t * C, (t + 1) * C));
    note("embedding", 0, x.slice());
    for (let l = 0; l < this.config.n_layers; l++) {
      const norm = (n) => layerNorm(x, w[`h.${l}.ln_${n}.weight`], w[`h.${l}.ln_${n}.bias`]);
      const layer = (name, y) => linear(y, w[`h.${l}.${name}.weight`], w[`h.${l}.${name}.bias`]);
      const qkv = layer("attn.c_attn", norm(1));
      const attention = layer("attn.c_proj", this.attend(l, t, qkv, reading));
      add(x, attention);
      note("qkv", l, qkv);
      note("attention", l, attention);
      note("after attention", l, x.slice());
      const hidden = layer("mlp.c_fc", norm(2)).map(gelu), mlp = layer("mlp.c_proj", hidden);
      add(x, mlp);
      note("hidden", l, hidden);
      note("mlp", l, mlp);
      note("after mlp", l, x.slice());
    }
    return x;
  }

  /** The last norm and the head: also of a vector from between the blocks (the logit lens). */
  logits(x) {
    const w = this.weights;
    const head = w["lm_head.weight"] ?? w["wte.weight"];
    return linear(layerNorm(x, w["ln_f.weight"], w["ln_f.bias"]), head);
  }

  /** What token t takes over from itself and the tokens before it.  (3C,) -> (C,)

      No mask: later tokens are not in the cache yet, or are not looked at. */
  attend(l, t, qkv, reading) {
    const C = this.config.d_model, D = C / this.config.n_heads, out = new Float32Array(C);
    const keys = reading.keys[l], values = reading.values[l];
    keys.set(qkv.subarray(C, 2 * C), t * C);
    values.set(qkv.subarray(2 * C), t * C);
    for (const [h, rows] of reading.attention[l].entries()) {
      const row = (rows[t] = new Float32Array(t + 1));
      for (let s = 0; s <= t; s++) {
        let score = 0;
        for (let i = h * D; i < (h + 1) * D; i++) score += qkv[i] * keys[s * C + i];
        row[s] = score / Math.sqrt(D);
      }
      softmax(row);
      for (let s = 0; s <= t; s++)
        for (let i = h * D; i < (h + 1) * D; i++) out[i] += row[s] * values[s * C + i];
    }
    return out;
  }
}
