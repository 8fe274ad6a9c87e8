/* What runs a model, in a worker where there can be one: it loads, reads, and shows its inside. */

"use strict";

const LENS = 10; // of the likeliest tokens
const PORTION = 16; // new tokens read at a time: another question need not wait for more

/** The object that a model's script calls talesModel with. */
async function fetchModel(url) {
  let found;
  globalThis.talesModel = (file) => (found = file);
  if (typeof importScripts === "function") importScripts(url);
  else
    await new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src: url });
      Object.assign(script, { onload: resolve, onerror: reject });
      document.head.append(script);
    });
  if (!found) throw Error("no model in the file");
  return found;
}

class Host {
  /** The book's model. -> what the page needs to know of it */
  async load(url) {
    const file = await fetchModel(url);
    return this.use({ config: file.config, weights: unpack(file) }, file);
  }

  /** The reader's own, with the vocabulary that they chose or with the book's. */
  async open({ file, vocabularyFile, vocabulary }) {
    const model = await openCheckpoint(file);
    const words = vocabularyFile ? await openVocabulary(vocabularyFile) : vocabulary;
    const n = words.tokens.length + Object.keys(words.special_tokens).length;
    if (n !== model.config.vocab_size)
      throw Error(`The model knows ${model.config.vocab_size} tokens, the vocabulary ${n}: choose ` +
        "the vocabulary.json of the same run as well.");
    return this.use(model, words);
  }

  use(model, { tokens, special_tokens }) {
    this.model = new GPT(model);
    this.readings = [new Reading(model.config), new Reading(model.config)];
    const count = Object.values(model.weights).reduce((sum, w) => sum + w.length, 0);
    return { config: model.config, vocabulary: { tokens, special_tokens }, parameters: count };
  }

  /** Read a portion of a text. -> how far, what the page does not know yet, and how long it took

      The other reading is that of a text that has lost its first half: `ahead` reads it along, a
      little with each token, so that nothing stops when the context is full. */
  read({ ids, known, ahead }) {
    const start = performance.now(), [a, b] = this.readings;
    if (b.common(ids) > a.common(ids)) this.readings.reverse();
    const [reading, other] = this.readings;
    const n = Math.min(ids.length, reading.common(ids) + PORTION);
    this.model.read(ids.slice(0, n), reading);
    if (ahead) this.readAhead(ids, other);
    return { n, ...this.news(known), ms: performance.now() - start };
  }

  /** Go on with a text that was read, a token for each of the numbers to draw with; one of `stops`
      is the last. -> the tokens, and the same as of `read` */
  write({ ids, draws, settings, stops }) {
    const start = performance.now(), all = [...ids], [reading, other] = this.readings;
    for (const u of draws) {
      const logits = this.model.read(all, reading).at(-1);
      all.push(sampleToken(nextTokenProbs(logits, settings), u));
      this.model.read(all, reading);
      this.readAhead(all, other);
      if (stops.includes(all.at(-1))) break;
    }
    const added = all.slice(ids.length);
    return { added, ...this.news(ids.length), ms: performance.now() - start };
  }

  /** Logits and attention weights of the tokens from a place on. */
  news(from) {
    const [{ ids, logits, attention }] = this.readings, rowsOf = (rows) => rows.slice(from, ids.length);
    return { logits: logits.slice(from), attention: attention.map((heads) => heads.map(rowsOf)) };
  }

  readAhead(ids, other) {
    const T = this.model.config.context_length, half = T >> 1, later = ids.slice(half);
    const missing = T - half - other.common(later), steps = T - ids.length + 1;
    const n = other.common(later) + Math.ceil(Math.max(0, missing) / steps);
    if (later.length) this.model.read(later.slice(0, Math.max(1, n)), other);
  }

  /** One text with all that happens in it: vectors by name, [layer][t], and what the model would
      say after each stage (the logit lens). */
  trace(ids) {
    const reading = new Reading(this.model.config), seen = {}, lens = [];
    const L = this.model.config.n_layers;
    this.model.read(ids, reading, (what, layer, vector) => {
      ((seen[what] ??= [])[layer] ??= []).push(vector);
    });
    const stages = [{ part: "embedding", layer: 0, x: seen.embedding[0] }];
    for (let l = 0; l < L; l++)
      for (const part of ["attention", "mlp"])
        stages.push({ part, layer: l, x: seen[`after ${part}`][l] });
    for (const stage of stages) stage.lens = stage.x.map((x) => this.likeliest(this.model.logits(x)));
    return { ids, stages, seen, attention: reading.attention };
  }

  likeliest(logits) {
    const ids = ranking(logits).slice(0, LENS), p = softmax(Float64Array.from(logits));
    return ids.map((id) => ({ id, p: p[id], logit: logits[id] }));
  }
}
