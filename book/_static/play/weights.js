/* Where a model's numbers come from: the book's file, or a safetensors file of the reader's own. */

"use strict";

const LARGEST = 64e6; // bytes of an own file: 16 million parameters
const TRANSPOSED = /c_(attn|fc|proj)\.weight$/; // GPT-2 stores (inputs, outputs)

/** The numbers in the book's file by name, as rows of float32: scales times 8-bit integers. */
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
    const matrix = (weights[name] = new Float32Array(rows * columns));
    for (let i = 0; i < rows; i++)
      for (let j = i * columns; j < (i + 1) * columns; j++) matrix[j] = scales[i] * integers[j];
    at += rows * columns;
  }
  return weights;
}

/** The shape of each tensor of a GPT, by its name in the file. */
function shapes({ vocab_size: V, context_length: T, d_model: C, n_layers: L, ...options }) {
  const all = { "wte.weight": [V, C], "wpe.weight": [T, C], "ln_f.weight": [C], "ln_f.bias": [C] };
  if (options.tied_embeddings === false) all["lm_head.weight"] = [V, C];
  for (let l = 0; l < L; l++) {
    const parts = { ln_1: [C], "attn.c_attn": [C, 3 * C], "attn.c_proj": [C, C], ln_2: [C] };
    Object.assign(parts, { "mlp.c_fc": [C, 4 * C], "mlp.c_proj": [4 * C, C] });
    for (const [part, shape] of Object.entries(parts)) {
      all[`h.${l}.${part}.weight`] = shape;
      if (part !== "attn.c_attn" || options.qkv_bias !== false)
        all[`h.${l}.${part}.bias`] = shape.slice(-1);
    }
  }
  return all;
}

const megabytes = (n) => `${(n / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} MB`;

/** The header of a safetensors file: only its first bytes are read. Errors say what is wrong. */
async function readHeader(file) {
  const start = new Uint8Array(await file.slice(0, 10).arrayBuffer());
  const kind = String.fromCharCode(...start.slice(0, 2));
  if (kind === "PK" || start[0] === 0x80)
    throw Error("This is a pickle, as torch.save writes it. Opening one can run any program that " +
      "is hidden in it, so this page doesn't. Save the weights with save_model.");
  if (file.size > LARGEST)
    throw Error(`The file has ${megabytes(file.size)}. This page opens up to ${megabytes(LARGEST)}; ` +
      "none of it was read.");
  const length = start.length < 8 ? 0 : Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length < 2 || 8 + length > file.size)
    throw Error("This is no complete safetensors file: it is damaged, or something else.");
  const text = await file.slice(8, 8 + length).text();
  try {
    return { header: JSON.parse(text), length };
  } catch {
    throw Error("The file's header can't be read: it is damaged, or no safetensors file.");
  }
}

/** The configuration in a header, and that all of its tensors are there. */
function checkHeader({ header, length }, size) {
  const { __metadata__: notes, ...tensors } = header;
  if (!notes?.config)
    throw Error("The file has weights but no configuration. save_model writes both into one file.");
  const config = JSON.parse(notes.config);
  const names = ["vocab_size", "context_length", "d_model", "n_heads", "n_layers"];
  const wrong = names.find((name) => !(Number.isInteger(config[name]) && config[name] > 0));
  if (wrong || config.d_model % config.n_heads || config.n_layers > 1000)
    throw Error(`The configuration is none of a GPT: ${names.map((n) => `${n} ${config[n]}`).join(", ")}.`);
  const expected = shapes(config);
  const more = Object.keys(tensors).find((name) => !(name in expected));
  if (more) throw Error(`The file has a tensor ${more}, which no GPT of this book has.`);
  for (const [name, shape] of Object.entries(expected)) {
    const found = tensors[name];
    if (!found) throw Error(`The file has no tensor ${name}.`);
    if (String(found.shape) !== String(shape))
      throw Error(`${name} is ${found.shape.join(" × ")}: the configuration says ${shape.join(" × ")}.`);
    if (found.dtype !== "F32")
      throw Error(`${name} has numbers of the kind ${found.dtype}; this page reads F32.`);
    const [from, to] = found.data_offsets, bytes = 4 * shape.reduce((a, b) => a * b);
    if (to - from !== bytes || 8 + length + to > size)
      throw Error("The file is cut: not all of its numbers are there.");
  }
  return { config, tensors, notes };
}

/** The checksum that write_tensors notes: of the tensors without notes, and then of the notes. */
async function checksum(tensors, data, { sha256, ...notes }) {
  const head = JSON.stringify(tensors), padded = head.padEnd(Math.ceil(head.length / 8) * 8);
  const pairs = Object.keys(notes).sort().map((k) => `${JSON.stringify(k)}: ${JSON.stringify(notes[k])}`);
  const length = new BigUint64Array([BigInt(padded.length)]);
  const whole = await new Blob([length, padded, data, `{${pairs.join(", ")}}`]).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function transpose(weight, [rows, columns]) {
  const result = new Float32Array(weight.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = weight[i * columns + j];
  return result;
}

/** A model of the reader's own: {config, weights}. Errors say in words what is wrong. */
async function openCheckpoint(file) {
  const read = await readHeader(file);
  const { config, tensors, notes } = checkHeader(read, file.size);
  const data = await file.slice(8 + read.length).arrayBuffer(), weights = {};
  if (notes.sha256 && globalThis.crypto?.subtle) {
    if ((await checksum(tensors, data, notes)) !== notes.sha256)
      throw Error("The file is damaged: its checksum is not the one that it notes.");
  }
  for (const [name, { shape, data_offsets: [from, to] }] of Object.entries(tensors)) {
    const numbers = new Float32Array(data.slice(from, to));
    if (!numbers.every(Number.isFinite)) throw Error(`${name} has numbers that are not finite.`);
    weights[name] = TRANSPOSED.test(name) ? transpose(numbers, shape) : numbers;
  }
  return { config, weights };
}

/** A vocabulary.json: {tokens, special_tokens}, with the checks of BPETokenizer.load. */
async function openVocabulary(file) {
  if (file.size > 16e6) throw Error(`${file.name} has ${megabytes(file.size)}: no vocabulary.`);
  let tokens, special;
  try {
    ({ tokens, special_tokens: special } = JSON.parse(await file.text()));
    const ids = [...tokens.keys(), ...Object.values(special)].sort((a, b) => a - b);
    if (ids.some((id, i) => id !== i) || new Set(tokens).size !== tokens.length) throw Error();
    const known = new Set(tokens);
    for (let byte = 0; byte < 256; byte++) if (!known.has(String.fromCharCode(byte))) throw Error();
  } catch {
    throw Error(`${file.name} holds no complete vocabulary: choose the vocabulary.json of your run.`);
  }
  if (!("<|endoftext|>" in special)) throw Error(`${file.name} has no token <|endoftext|>.`);
  return { tokens, special_tokens: special };
}
