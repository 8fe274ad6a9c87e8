/* From logits to the next token, as in shared/model/generate.py, and numbers drawn by a seed. */

"use strict";

/** In place. The largest is subtracted, which changes nothing but keeps exp from overflowing. */
function softmax(x) {
  let top = -Infinity, sum = 0;
  for (const a of x) top = Math.max(top, a);
  for (let i = 0; i < x.length; i++) sum += x[i] = Math.exp(x[i] - top);
  for (let i = 0; i < x.length; i++) x[i] /= sum;
  return x;
}

/** Ids, the likeliest first; of equal ones the lower. */
function ranking(logits) {
  const bits = new Uint32Array(Float32Array.from(logits, (a) => a + 0).buffer); // -0 + 0 is 0
  // whole numbers in the order of the logits, the largest first, and behind them the id: sorting
  // numbers is far quicker than asking a function which of two comes first
  const keys = Float64Array.from(bits, (b, id) => (b >>> 31 ? b : b ^ 0x7fffffff) * 2 ** 20 + id);
  return Array.from(keys.sort(), (key) => key % 2 ** 20);
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

/** The number in [0, 1) that a seed has for the n-th token: mulberry32, one step from (seed, n). */
function uniform(seed, n) {
  let a = (Math.imul(seed + 1, 0x9e3779b9) + Math.imul(n + 1, 0x6d2b79f5)) | 0;
  for (let i = 0; i < 2; i++) {
    a = Math.imul(a ^ (a >>> 15), a | 1);
    a ^= a + Math.imul(a ^ (a >>> 7), a | 61);
    a ^= a >>> 14;
  }
  return (a >>> 0) / 2 ** 32;
}
