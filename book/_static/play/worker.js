/* The model's own thread: the page stays free for whoever reads it. */

"use strict";

importScripts("sampler.js", "gpt.js", "weights.js", "host.js");

const host = new Host();

onmessage = async ({ data: { name, argument, number } }) => {
  try {
    postMessage({ number, answer: await host[name](argument) });
  } catch (error) {
    postMessage({ number, error: error.message });
  }
};

postMessage("ready");
