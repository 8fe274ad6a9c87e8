/* Chatting: turns between markers, as shared/tasks/chat.py and instruct.py make them. */

"use strict";

const SHORTEST = 16; // tokens of room for an answer
const FEW = 4; // tokens of an answer before the page shows them
const TURN = 600; // characters of a question, more of a story
const STORY = 2000;

let assistant; // a Model, once it is loaded
let turns = []; // {asked, answer}
let answering = null; // a mark of the answer that is being written

/** What decides by chance: the same conversation with the same seed has the same answers. */
const chatSeed = () => Math.trunc(Number(find("chat-seed").value)) || 0;
const wordsOf = (text, room) => text.slice(0, room).trim();

/** The ids of a conversation up to where its last answer begins; what users say is plain text. */
function promptIds({ special, ...tokenizer }, encode, talk, story) {
  return talk.flatMap(({ asked, answer }, i) => {
    const said = encode(i === 0 && story ? `${story}\n${asked}` : asked);
    const question = [special["<|user|>"], ...said, special["<|end|>"], special["<|assistant|>"]];
    return answer === undefined ? question : [...question, ...encode(answer), special["<|end|>"]];
  });
}

/** The last turns that fit, with the story at their head. */
function inView(talk, story) {
  const { tokenizer, config } = assistant, encode = (text) => tokenizer.encode(text);
  for (let from = 0; from < talk.length; from++) {
    const prompt = promptIds(tokenizer, encode, talk.slice(from), story);
    if (prompt.length + SHORTEST <= config.context_length) return { prompt, dropped: from };
    if (from === talk.length - 1) return { prompt, dropped: null };
  }
}

/** The assistant of the book, or the reader's own weights, loaded when first asked. */
async function loadAssistant() {
  if (assistant) return;
  tellChat("The assistant is loading …");
  assistant = await (ownFiles ? Model.open(ownFiles) : Model.load(modelUrl(find("chat"))));
}

function tellChat(words) {
  find("chat-status").textContent = words;
}

async function ask(asked) {
  if (answering || find("send").ariaBusy) return;
  const story = wordsOf(find("story").value, STORY);
  if (!asked) return tellChat("Nothing to answer yet: write something first.");
  find("send").ariaBusy = "true";
  try {
    await loadAssistant();
  } catch (error) {
    return tellChat(ownFiles ? error.message : "The assistant can't be loaded from here. Try again?");
  } finally {
    find("send").ariaBusy = null;
  }
  const { tokenizer, config } = assistant;
  if (!("<|user|>" in tokenizer.special && "<|assistant|>" in tokenizer.special))
    return tellChat("These weights have no tokens for a chat. The book's vocabulary has them.");
  const { prompt, dropped } = inView([...turns, { asked }], story);
  if (dropped === null)
    return tellChat(`Story and question have ${prompt.length - 3} tokens: with an answer that is more ` +
      `than the ${config.context_length} of the context. Make one of them shorter.`);
  find("asked").value = "";
  await answerTo(asked, prompt, [...forgotten(dropped), ...forged(asked + story)]);
}

const forgotten = (n) => (n
  ? [`The context is full: the first ${n === 1 ? "turn" : `${n} turns`} of this talk ` +
      `${n === 1 ? "is" : "are"} no longer read.`]
  : []);

/** Markers that a user types are characters like others, and the page says so. */
function forged(text) {
  const names = Object.keys(assistant.tokenizer.special).filter((name) => text.includes(name));
  return names.length ? [`${names.join(" and ")} in your words is read as plain text, not as a marker.`] : [];
}

async function answerTo(asked, prompt, notes) {
  const mine = (answering = Symbol("answering")), { tokenizer, config } = assistant;
  const turn = { asked, answer: "" }, ids = [...prompt];
  turns.push(turn);
  showTurn("You", asked);
  const box = showTurn("Model", "…");
  drawChat();
  tellChat(["Answering …", ...notes].join(" "));
  const wanted = () => answering === mine;
  let n = 0, first = 0, ended = false;
  while (wanted() && ids.length < config.context_length) {
    if (!(await assistant.read(ids, { wanted }))) break;
    first ||= performance.now();
    const settings = { temperature: Number(find("chat-temperature").value) };
    const length = Math.min(FEW, config.context_length - ids.length);
    const draws = Array.from({ length }, (_, i) => uniform(chatSeed(), ids.length + i));
    const how = { draws, settings, stops: [...tokenizer.names.keys()] };
    ids.push(...(await assistant.write(ids, how)));
    n = ids.length - prompt.length;
    ended = tokenizer.names.has(ids.at(-1)); // of the answer, or of the text
    turn.answer = tokenizer.decode(ids.slice(prompt.length, ended ? -1 : undefined));
    box.textContent = turn.answer;
    find("talk").scrollTop = find("talk").scrollHeight;
    if (ended) break;
  }
  if (!turns.includes(turn)) return; // a new talk has begun
  const stopped = answering !== mine;
  answering = null;
  box.textContent = turn.answer || "(nothing)";
  find("chat-log").textContent = `The model: ${box.textContent}`;
  const why = stopped ? ["Stopped."] : ended ? [] : ["The context is full: the answer ends here."];
  const speed = n ? `${n} tokens, ${rate(n, performance.now() - first)} a second.` : "";
  tellChat([speed, ...why, ...notes].join(" ").trim());
  drawChat();
}

function showTurn(who, text) {
  const turn = make("div", `lm-turn lm-turn-${who.toLowerCase()}`), words = make("span", "", text);
  turn.append(make("b", "", `${who}: `), words);
  find("talk").append(turn);
  find("talk").scrollTop = find("talk").scrollHeight;
  return words;
}

function drawChat() {
  find("send").textContent = answering ? "Stop" : "Ask";
  find("talk").hidden = turns.length === 0;
}

function newTalk() {
  [turns, answering] = [[], null];
  find("talk").replaceChildren();
  tellChat("A new conversation: nothing of the last one is remembered.");
  drawChat();
}

/** Other weights: another assistant, and a talk of its own. */
function forgetAssistant() {
  assistant?.engine.stop();
  assistant = undefined;
  if (turns.length) newTalk();
}

function wireChat() {
  const box = find("asked"), temperature = find("chat-temperature");
  const send = () => {
    if (answering) answering = null;
    else ask(wordsOf(box.value, TURN));
  };
  find("send").onclick = send;
  box.onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!answering) send();
  };
  box.oninput = () => {
    if (box.value.length > TURN)
      tellChat(`A question has at most ${TURN} characters: the last ${box.value.length - TURN} are not read.`);
  };
  find("story").oninput = () => {
    const more = find("story").value.length - STORY;
    if (more > 0) tellChat(`A story has at most ${STORY} characters: the last ${more} are not read.`);
  };
  find("new").onclick = () => {
    find("chat-seed").value = chatSeed() + 1; // the same one would give the same answers
    newTalk();
  };
  find("questions").onclick = ({ target }) => {
    if (!target.matches("button") || answering) return;
    if ("alone" in target.dataset) { // not about the story
      find("story").value = "";
      newTalk();
    }
    ask(target.textContent);
  };
  temperature.oninput = () => {
    const t = Number(temperature.value);
    temperature.ariaValueText = temperature.nextElementSibling.value = t ? t.toFixed(1) : "0";
  };
  temperature.oninput();
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") answering = null;
  });
}

wireChat();
