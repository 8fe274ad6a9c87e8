/* Text to token ids and back, as in shared/text: a token's id is its rank, lower ids merge first. */

"use strict";

// GPT-2's chunks. \s means another set of characters here than in Python: name the set itself.
const CHUNKS = new RegExp(
  String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
    .replaceAll(String.raw`\s`, String.raw`\p{White_Space}`)
    .replaceAll(String.raw`\S`, String.raw`\P{White_Space}`),
  "gu",
);

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true }); // U+FEFF is a character like others
const STRICT = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Byte-level BPE. A token is a string with one character for each of its bytes. */
class Tokenizer {
  constructor({ tokens, special_tokens: special }) {
    this.tokens = [...tokens];
    for (const [name, id] of Object.entries(special)) this.tokens[id] = name;
    this.ids = new Map(tokens.map((token, id) => [token, id]));
    this.special = special;
    this.names = new Map(Object.entries(special).map(([name, id]) => [id, name]));
    this.end = special["<|endoftext|>"];
  }

  /** Token ids of plain text: special tokens are characters like any others. */
  encode(text) {
    return Array.from(text.matchAll(CHUNKS), ([chunk]) => this.encodeChunk(chunk)).flat();
  }

  /** Join the two neighbors whose union has the lowest id, leftmost first, while one has an id. */
  encodeChunk(chunk) {
    const parts = Array.from(new TextEncoder().encode(chunk), (byte) => String.fromCharCode(byte));
    const rank = (i) => this.ids.get(parts[i] + parts[i + 1]) ?? Infinity; // of a pair
    const ranks = parts.slice(1).map((_, i) => rank(i));
    for (;;) {
      const lowest = ranks.reduce((a, b) => Math.min(a, b), Infinity), best = ranks.indexOf(lowest);
      if (lowest === Infinity) return parts.map((part) => this.ids.get(part));
      parts.splice(best, 2, parts[best] + parts[best + 1]);
      ranks.splice(best, 1);
      if (best > 0) ranks[best - 1] = rank(best - 1);
      if (best < ranks.length) ranks[best] = rank(best);
    }
  }

  bytes(ids) {
    return Uint8Array.from(ids.map((id) => this.tokens[id]).join(""), (c) => c.charCodeAt(0));
  }

  /** The text; bytes that are no UTF-8, such as half a character, become U+FFFD. */
  decode(ids) {
    return UTF8.decode(this.bytes(ids));
  }

  /** What one can see of each token: {text, part, parts}. Tokens that only together make a
      character have it in the first of their parts; bytes that make none are in hexadecimal. */
  spell(ids) {
    const shown = [];
    while (shown.length < ids.length) {
      const i = shown.length, { text, parts } = this.character(ids, i);
      for (let part = 1; part <= parts; part++) shown.push({ text, part, parts });
    }
    return shown;
  }

  /** The fewest tokens from place i on that are text, at most the four bytes of a character. */
  character(ids, i) {
    if (this.names.has(ids[i])) return { text: this.names.get(ids[i]), parts: 1 };
    for (let parts = 1; parts <= 4 && i + parts <= ids.length; parts++) {
      const run = ids.slice(i, i + parts);
      if (run.some((id) => this.names.has(id))) break;
      try {
        return { text: STRICT.decode(this.bytes(run)), parts };
      } catch {
        // not yet
      }
    }
    const hex = Array.from(this.bytes([ids[i]]), (byte) => `\\x${byte.toString(16)}`);
    return { text: hex.join(""), parts: 1 };
  }
}
