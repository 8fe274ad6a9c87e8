/* A GPT in the page: text to token ids, ids to logits, logits to probabilities, and one of them.

   The same computation as shared/text/bpe.py, shared/model/gpt.py and shared/model/generate.py, for
   one text: T tokens, C = d_model, H heads, D = C / H, V vocabulary. book/_ext/page_model.py writes
   the weights. */

"use strict";

// GPT-2's chunks. \s means another set of characters here than in Python: name the set itself.
const CHUNKS = new RegExp(
  String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
    .replaceAll(String.raw`\s`, String.raw`\p{White_Space}`)
    .replaceAll(String.raw`\S`, String.raw`\P{White_Space}`),
  "gu",
);

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true }); // U+FEFF is a character like others

/** Byte-level BPE. A token is a string with one character for each of its bytes. */
class Tokenizer {
  constructor(tokens, special) {
    this.tokens = [...tokens, ...Object.keys(special)];
    this.ids = new Map(tokens.map((token, id) => [token, id]));
    this.end = special["<|endoftext|>"];
  }

  /** Token ids of plain text: special tokens are characters like any others. */
  encode(text) {
    return Array.from(text.matchAll(CHUNKS), ([chunk]) => this.encodeChunk(chunk)).flat();
  }

  /** Join the two neighbors whose union has the lowest id, leftmost first, while one has an id. */
  encodeChunk(chunk) {
    const parts = Array.from(new TextEncoder().encode(chunk), (byte) => String.fromCharCode(byte));
    for (;;) {
      const ranks = parts.slice(1).map((part, i) => this.ids.get(parts[i] + part) ?? Infinity);
      const lowest = ranks.reduce((a, b) => Math.min(a, b), Infinity), best = ranks.indexOf(lowest);
      if (lowest === Infinity) return parts.map((part) => this.ids.get(part));
      parts.splice(best, 2, parts[best] + parts[best + 1]);
    }
  }

  /** The text; bytes that are no UTF-8, such as half a character, become U+FFFD. */
  decode(ids) {
    const bytes = Array.from(ids.map((id) => this.tokens[id]).join(""), (c) => c.charCodeAt(0));
    return UTF8.decode(Uint8Array.from(bytes));
  }
}

/** The numbers in a model's file by name, as rows of float32: scales times 8-bit integers. */
function unpack({ tensors, data }) {
  const text = atob(data), bytes = new Uint8Array(text.length), weights = {};
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  let at = 0;
  const floats = (n) => new Float32Array(bytes.slice(at, (at += 4 * n)).buffer);
  for (const [name, rows, columns] of tensors) {
    const scales = floats(rows);
    weights[name] = scales; // a vector is stored like the scales of rows without columns
    if (columns === 0) continue;
    const integers = new Int8Array(bytes.buffer, at, rows * columns);
    weights[name] = Float32Array.from(integers, (n, i) => n * scales[Math.floor(i / columns)]);
    at += rows * columns;
  }
  return weights;
}

/** weight @ x + bias.  (N, M), (M,) -> (N,)

    In four sums, because an addition can't begin before the last one to the same sum has ended. */
function linear(x, weight, bias) {
  const M = x.length, y = new Float32Array(weight.length / M);
  for (let n = 0, w = 0; n < y.length; n++) {
    let a = 0, b = 0, c = 0, d = 0;
    for (let m = 0; m < M; m += 4, w += 4) {
      a += weight[w] * x[m];
      b += weight[w + 1] * x[m + 1];
      c += weight[w + 2] * x[m + 2];
      d += weight[w + 3] * x[m + 3];
    }
    y[n] = a + b + c + d + (bias ? bias[n] : 0);
  }
  return y;
}

function layerNorm(x, weight, bias) {
  const mean = x.reduce((sum, a) => sum + a, 0) / x.length;
  const variance = x.reduce((sum, a) => sum + (a - mean) ** 2, 0) / x.length;
  return x.map((a, i) => ((a - mean) / Math.sqrt(variance + 1e-5)) * weight[i] + bias[i]);
}

function gelu(a) {
  return 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a)));
}

/** In place. The largest is subtracted, which changes nothing but keeps exp from overflowing. */
function softmax(x) {
  const top = x.reduce((a, b) => Math.max(a, b)), exps = x.map((a) => Math.exp(a - top));
  const sum = exps.reduce((a, b) => a + b);
  x.forEach((_, i) => (x[i] = exps[i] / sum));
}

/** Reads token by token. What it has read stays: keys and values, attention weights, logits. */
class GPT {
  constructor({ config, weights }) {
    const { n_layers: L, n_heads: H, context_length: T, d_model: C } = config;
    Object.assign(this, { config, weights, ids: [], logits: [] });
    this.keys = Array.from({ length: L }, () => new Float32Array(T * C));
    this.values = Array.from({ length: L }, () => new Float32Array(T * C));
    // attention[layer][head][t] are the weights of token t on the tokens 0 ... t
    this.attention = this.keys.map(() => Array.from({ length: H }, () => []));
  }

  /** Logits after each token, (T, V). Only what differs from the last text is computed again. */
  read(ids) {
    let t = 0;
    while (t < ids.length && ids[t] === this.ids[t]) t++;
    this.ids = [...ids];
    for (; t < ids.length; t++) this.logits[t] = this.step(ids[t], t);
    this.logits.length = ids.length;
    return this.logits;
  }

  /** The logits after token `id` at place t; the tokens before it have been read. */
  step(id, t) {
    const w = this.weights, C = this.config.d_model;
    const add = (x, y) => x.forEach((_, i) => (x[i] += y[i]));
    const x = w["wte.weight"].slice(id * C, (id + 1) * C);
    add(x, w["wpe.weight"].subarray(t * C, (t + 1) * C));
    for (let l = 0; l < this.config.n_layers; l++) {
      const norm = (n) => layerNorm(x, w[`h.${l}.ln_${n}.weight`], w[`h.${l}.ln_${n}.bias`]);
      const layer = (name, y) => linear(y, w[`h.${l}.${name}.weight`], w[`h.${l}.${name}.bias`]);
      add(x, layer("attn.c_proj", this.attend(l, t, layer("attn.c_attn", norm(1)))));
      add(x, layer("mlp.c_proj", layer("mlp.c_fc", norm(2)).map(gelu)));
    }
    return linear(layerNorm(x, w["ln_f.weight"], w["ln_f.bias"]), w["wte.weight"]);
  }

  /** What token t takes over from itself and the tokens before it.  (3C,) -> (C,)

      No mask: later tokens are not in the cache yet, or are not looked at. */
  attend(l, t, qkv) {
    const C = this.config.d_model, D = C / this.config.n_heads, out = new Float32Array(C);
    const keys = this.keys[l], values = this.values[l];
    keys.set(qkv.subarray(C, 2 * C), t * C);
    values.set(qkv.subarray(2 * C), t * C);
    this.attention[l].forEach((rows, h) => {
      const row = (rows[t] = new Float32Array(t + 1));
      for (let s = 0; s <= t; s++) {
        for (let i = h * D; i < (h + 1) * D; i++) row[s] += qkv[i] * keys[s * C + i];
        row[s] /= Math.sqrt(D);
      }
      softmax(row);
      for (let s = 0; s <= t; s++)
        for (let i = h * D; i < (h + 1) * D; i++) out[i] += row[s] * values[s * C + i];
    });
    return out;
  }
}

/** Ids, the likeliest first; of equal ones the lower. */
function ranking(logits) {
  return Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
}

/** Divide the logits by the temperature, keep the topK largest, and of these the fewest whose
    probability reaches topP; the rest is impossible. Temperature 0 is the likeliest token. */
function nextTokenProbs(logits, { temperature = 1, topK = logits.length, topP = 1 } = {}) {
  const order = ranking(logits), result = new Float64Array(logits.length);
  const kept = order.slice(0, temperature === 0 ? 1 : topK);
  const p = Float64Array.from(kept, (id) => (logits[id] - logits[kept[0]]) / (temperature || 1));
  softmax(p);
  let reached = 0, n = 0;
  while (n < p.length && (topP >= 1 || n === 0 || reached < topP)) reached += p[n++];
  for (let i = 0; i < n; i++) result[kept[i]] = p[i] / reached;
  return result;
}

/** The id at which the summed probabilities pass u, a number in [0, 1). */
function sampleToken(probs, u) {
  let id = -1, sum = 0, last = -1;
  while (sum <= u && ++id < probs.length) {
    sum += probs[id];
    if (probs[id] > 0) last = id;
  }
  return last; // also if rounding lets the sum end below u
}
