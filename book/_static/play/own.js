/* The reader's own weights: chosen or dropped, checked, run, and sent nowhere. */

"use strict";

let ownFiles = null; // {file, vocabularyFile, vocabulary} of the weights in use, for the chat
let ownModel = null; // the reader's Model; without one all views use the book's
let offered = {}; // what was chosen so far: weights and a vocabulary may come one after the other

// A story of the Tales: what a token of it costs says whether weights and vocabulary fit together.
const KNOWN_STORY = "It was a sunny Sunday, and Lily went to the park with a red kite.";

const currentModel = () => (ownModel ? Promise.resolve(ownModel) : bookModel());

async function openFiles(files) {
  for (const file of files) offered[file.name.endsWith(".json") ? "vocabularyFile" : "file"] = file;
  if (!offered.file) {
    tellOwn("This is the vocabulary; choose the model.safetensors of the same folder too.");
    return;
  }
  tellOwn(`${offered.file.name} is being checked …`);
  try {
    const { vocabulary } = offered.vocabularyFile ? {} : await bookModel();
    const opened = { ...offered, vocabulary };
    const one = await Model.open(opened);
    await useOwn(one, opened);
  } catch (error) {
    if (!/vocabulary/.test(error.message)) offered = {};
    tellOwn(`${error.message} ${ownModel ? "Your weights of before" : "The book's weights"} stay in use.`);
  }
}

async function useOwn(one, opened) {
  ownModel?.engine.stop();
  [ownModel, ownFiles, offered] = [one, opened, {}];
  const { n_layers: L, n_heads: H, d_model: C, context_length: T, vocab_size: V } = one.config;
  const cost = await lossOf(one, find("story").value || KNOWN_STORY);
  const sense = cost > Math.log(V)
    ? "That is worse than guessing: is the vocabulary another one?"
    : `Guessing would cost ${Math.log(V).toFixed(2)}.`;
  tellOwn(`All views now use ${opened.file.name}: ${L} layers, ${H} heads, vectors of ${C} numbers, a ` +
    `context of ${T}, ${V} tokens, ${(one.parameters / 1e6).toFixed(2)} million parameters. A token of ` +
    `a story costs it ${cost.toFixed(2)} nats. ${sense}`);
  find("own-back").hidden = false;
  await changeModel(one);
}

/** The mean loss on a text, in nats a token. */
async function lossOf(one, text) {
  const ids = one.visible([one.tokenizer.end, ...one.tokenizer.encode(text)]);
  await one.read(ids);
  const losses = ids.slice(1).map((id, t) => -Math.log(softmax(Float64Array.from(one.logits[t]))[id]));
  return losses.reduce((a, b) => a + b) / losses.length;
}

async function backToTheBook() {
  ownModel?.engine.stop();
  [ownModel, ownFiles, offered] = [null, null, {}];
  find("own-back").hidden = true;
  find("own-files").value = "";
  tellOwn("The weights are the book's again.");
  await changeModel(await bookModel());
}

async function changeModel(one) {
  forgetAssistant();
  forgetInside();
  await use(one);
}

function tellOwn(words) {
  find("own-status").textContent = words;
}

function wireOwn() {
  const input = find("own-files"), page = document.documentElement;
  input.onchange = async () => {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    if (files.length) await openFiles(files);
  };
  find("own-back").onclick = backToTheBook;
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  page.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    find("own").classList.add("lm-over");
  });
  page.addEventListener("dragleave", ({ relatedTarget }) =>
    relatedTarget ?? find("own").classList.remove("lm-over"));
  page.addEventListener("drop", (event) => {
    find("own").classList.remove("lm-over");
    if (!carries(event)) return;
    event.preventDefault();
    openFiles([...event.dataTransfer.files]);
  });
}

wireOwn();
