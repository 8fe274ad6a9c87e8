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

/** The address of this page with what is needed to get the same text again. */
function sharedLink() {
  const link = new URL(location.href);
  const text = find("beginning").value, said = settings();
  const parts = { text, seed: seed(), temperature: said.temperature, p: said.topP };
  if (said.topK < Infinity) parts.k = said.topK;
  link.hash = new URLSearchParams(parts);
  return link.href;
}

async function copyLink() {
  const link = sharedLink();
  history.replaceState(null, "", link);
  const words = ownModel ? " It tells the same story only to who opens the same weights." : "";
  try {
    await navigator.clipboard.writeText(link);
    find("status").textContent = `The link is copied: beginning, seed and sliders are in it.${words}`;
  } catch {
    find("status").textContent = `The link stands in the address bar.${words}`;
  }
}

/** What a link asks for; numbers outside a slider go to its end, and what is no number counts not. */
function followLink() {
  const said = new URLSearchParams(location.hash.slice(1)), text = said.get("text");
  if (VIEWS.includes(said.get("view"))) showView(said.get("view"));
  if (text === null) return;
  find("beginning").value = text.slice(0, LONGEST);
  const set = (id, value) => {
    if (said.get(value) === null || !Number.isFinite(Number(said.get(value)))) return;
    find(id).value = value === "k" ? TOP_K.findIndex((k) => k >= Number(said.get("k"))) : said.get(value);
    find(id).dispatchEvent(new Event("input"));
  };
  for (const [id, value] of [["seed", "seed"], ["temperature", "temperature"], ["top-p", "p"], ["top-k", "k"]])
    set(id, value);
  if (model) begin();
  else find("status").textContent = "This beginning came with a link. Load the model to go on from it.";
}

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
  find("share").onclick = copyLink;
  addEventListener("hashchange", followLink);
  followLink();
}

wireTabs();
