/* The page's side of a model: questions to the worker, and what has been read. */

"use strict";

const PLAY = new URL(".", document.currentScript.src).href; // where these scripts are

/** A model in a worker; from a disk, where browsers start no worker, in the page itself. */
class Engine {
  constructor() {
    this.waiting = new Map();
    this.number = 0;
  }

  async start() {
    try {
      this.worker = new Worker(`${PLAY}worker.js`);
      await new Promise((onmessage, onerror) => Object.assign(this.worker, { onmessage, onerror }));
      this.worker.onmessage = ({ data }) => this.hear(data);
    } catch {
      this.worker = undefined;
      for (const name of ["gpt", "weights", "host"]) await addScript(`${PLAY}${name}.js`);
      this.host = new Host();
    }
  }

  async ask(name, argument) {
    if (!this.worker && !this.host) await this.start();
    if (this.host) {
      await new Promise((resolve) => setTimeout(resolve)); // the page may draw
      return this.host[name](argument);
    }
    const number = ++this.number;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.worker.postMessage({ name, argument, number });
    });
  }

  hear({ number, answer, error }) {
    const { resolve, reject } = this.waiting.get(number);
    this.waiting.delete(number);
    if (error === undefined) resolve(answer);
    else reject(Error(error));
  }

  stop() {
    this.worker?.terminate();
  }
}

const scripts = new Map();

/** A script of this folder, once. */
function addScript(src) {
  if (!scripts.has(src))
    scripts.set(src, new Promise((onload, onerror) =>
      document.head.append(Object.assign(document.createElement("script"), { src, onload, onerror }))));
  return scripts.get(src);
}

/** A loaded model as the views use it: its tokenizer and numbers, and the text that it has read. */
class Model {
  constructor(engine, { config, vocabulary, parameters }) {
    Object.assign(this, { engine, config, vocabulary, parameters });
    this.tokenizer = new Tokenizer(vocabulary);
    this.forget();
  }

  static async load(url) {
    const engine = new Engine();
    return new Model(engine, await engine.ask("load", url));
  }

  static async open(files) {
    const engine = new Engine();
    try {
      return new Model(engine, await engine.ask("open", files));
    } catch (error) {
      engine.stop();
      throw error;
    }
  }

  forget() {
    const { n_layers: L, n_heads: H } = this.config;
    [this.ids, this.logits, this.last] = [[], [], Promise.resolve()];
    this.attention = Array.from({ length: L }, () => Array.from({ length: H }, () => []));
  }

  /** What the model sees of a text: all, or, if that is too long, what is left when its first half
      contexts are dropped, as few as need be. */
  visible(ids) {
    const T = this.config.context_length, half = Math.max(1, T >> 1);
    return ids.slice(Math.max(0, Math.ceil((ids.length - T) / half)) * half);
  }

  /** Read a text, in portions; false if `wanted` says in between that nobody wants it any more.

      Then logits[t] and attention[layer][head][t] are there for each of its tokens. */
  read(ids, { wanted = () => true, ahead = false } = {}) {
    return this.afterwards(() => wanted() && this.readNow(ids, wanted, ahead));
  }

  /** Go on with a text that fits, as Host.write does. -> the new tokens, read */
  async write(ids, how) {
    await this.read(ids);
    return this.afterwards(async () => {
      const answer = await this.engine.ask("write", { ids, ...how });
      this.keep(ids.length, answer);
      this.ids = [...ids, ...answer.added];
      this.ms = answer.ms;
      return answer.added;
    });
  }

  /** One after the other. */
  afterwards(act) {
    this.last = this.last.catch(() => {}).then(act);
    return this.last;
  }

  keep(from, { logits, attention }) {
    this.logits.splice(from, Infinity, ...logits);
    this.attention.forEach((heads, l) =>
      heads.forEach((rows, h) => rows.splice(from, Infinity, ...attention[l][h])));
  }

  async readNow(ids, wanted, ahead) {
    let ms = 0;
    for (;;) {
      let known = 0;
      while (known < ids.length && ids[known] === this.ids[known]) known++;
      if (known === ids.length) break;
      const answer = await this.engine.ask("read", { ids, known, ahead });
      this.ids = ids.slice(0, answer.n);
      this.keep(known, answer);
      ms += answer.ms;
      if (!wanted()) return false;
    }
    this.ids.length = this.logits.length = ids.length;
    this.ms = ms;
    return true;
  }
}
