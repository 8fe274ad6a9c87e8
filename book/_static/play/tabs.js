/* Three ways of using a model behind three tabs, and links that share a prompt and a seed. */

"use strict";

const VIEWS = ["write", "chat", "inside"];
const tabs = VIEWS.map((view) => find(`tab-${view}`));

function showView(view) {
  VIEWS.forEach((name, i) => {
    tabs[i].ariaSelected = String(name === view);
    tabs[i].tabIndex = name === view ? 0 : -1;
    find(`panel-${name}`).hidden = name !== view;
  });
  writing = null;
  if (view !== "chat") answering = null;
  if (view === "write" && shown.length) draw();
}

/** What a link holds, by view: a name in the address for each box, slider or number of the page. */
const HELD = {
  write: { text: "beginning", seed: "seed", temperature: "temperature", p: "top-p", k: "top-k" },
  chat: { story: "story", asked: "asked", seed: "chat-seed", temperature: "chat-temperature" },
  inside: { prompt: "prompt" },
};
const FREE = { text: LONGEST, story: STORY, asked: TURN, prompt: 300 }; // texts, and their longest
const STATUS = { write: "status", chat: "chat-status", inside: "inside-status" };

const viewNow = () => VIEWS.find((name) => !find(`panel-${name}`).hidden);

/** The address of this page with what is needed to get the same text again. */
function sharedLink(view) {
  const link = new URL(location.href);
  const parts = view === "write" ? {} : { view };
  for (const [name, id] of Object.entries(HELD[view])) parts[name] = find(id).value;
  if (view === "write") {
    parts.k = settings().topK;
    if (parts.k === Infinity) delete parts.k;
  }
  if (view === "chat" && turns.length) parts.asked = turns[0].asked;
  link.hash = new URLSearchParams(parts);
  return link.href;
}

async function copyLink() {
  const view = viewNow(), link = sharedLink(view);
  history.replaceState(null, "", link);
  const words = ownModel ? " It shows the same only to who opens the same weights." : "";
  const what = { write: "beginning", chat: "story, first question", inside: "prompt" }[view];
  const held = view === "inside" ? "the prompt is in it" : `${what}, seed and sliders are in it`;
  try {
    await navigator.clipboard.writeText(link);
    find(STATUS[view]).textContent = `The link is copied: ${held}.${words}`;
  } catch {
    find(STATUS[view]).textContent = `The link stands in the address bar.${words}`;
  }
}

/** What a link asks for; numbers outside a slider go to its end, and what is no number counts not. */
function followLink() {
  const said = new URLSearchParams(location.hash.slice(1));
  const view = VIEWS.includes(said.get("view")) ? said.get("view") : "write";
  if (view === said.get("view")) showView(view);
  if (view === "write" && !said.has("text")) return;
  for (const [name, id] of Object.entries(HELD[view])) {
    const value = said.get(name);
    if (value === null) continue;
    if (name in FREE) find(id).value = value.slice(0, FREE[name]);
    else if (Number.isFinite(Number(value))) {
      find(id).value = name === "k" ? TOP_K.findIndex((k) => k >= Number(value)) : value;
      find(id).dispatchEvent(new Event("input"));
    }
  }
  begun[view](said);
}

/** How the page goes on from a link; no link makes it load a model. */
const begun = {
  write() {
    if (model) begin();
    else find("status").textContent = "This beginning came with a link. Load the model to go on from it.";
  },
  chat(said) {
    if (!said.has("asked")) return;
    newTalk();
    tellChat("This question came with a link. Press Ask to see the answer.");
  },
  inside(said) {
    if (!said.has("prompt")) return;
    forgetInside();
    find("inside-status").textContent = "This prompt came with a link. Press Look inside to follow it.";
  },
};

function wireTabs() {
  tabs.forEach((tab, i) => {
    tab.onclick = () => showView(VIEWS[i]);
    tab.onkeydown = ({ key }) => {
      const steps = { ArrowLeft: i + 2, ArrowRight: i + 1, Home: 0, End: 2 };
      if (!(key in steps)) return;
      const next = steps[key] % 3;
      showView(VIEWS[next]);
      tabs[next].focus();
    };
  });
  find("tabs").hidden = false;
  showView("write");
  for (const id of ["share", "chat-share", "inside-share"]) find(id).onclick = copyLink;
  addEventListener("hashchange", followLink);
  followLink();
}

wireTabs();
