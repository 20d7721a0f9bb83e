// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// The workshop's page: one card a board. The station tells all cards whenever one has changed.

import * as api from "./api.js";

const words = JSON.parse(document.body.dataset.words);
const { lang } = document.documentElement;
const SILENCE_MS = 25_000;
const byId = (id) => document.getElementById(id);
const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };
let heardMs = Date.now();
let stream = null;
let assets = [];

function cardOf(port) {
  let card = document.querySelector(`.board[data-port="${CSS.escape(port)}"]`);
  if (card) return card;
  card = byId("board").content.firstElementChild.cloneNode(true);
  card.dataset.port = port;
  put(card.querySelector(".port"), port);
  offer(card);
  card.querySelector(".make").addEventListener("click", () => make(card));
  byId("boards").append(card);
  return card;
}

function offer(card) {
  const list = card.querySelector(".asset");
  const free = assets.map((one) => new Option(`${one.name} · ${one.asset}`, one.asset));
  list.replaceChildren(list.options[0], ...free);
}

async function make(card) {
  const { port } = card.dataset;
  const shown = card.querySelector(".problem");
  shown.hidden = true;
  try {
    const replace = card.querySelector(".replace").checked;
    await api.post("/api/workshop/make", { port, asset: card.querySelector(".asset").value, replace });
  } catch (error) {
    put(shown, error instanceof api.Refusal ? error.message : words.offline);
    shown.hidden = false;
  }
}

function stepLine(step) {
  const item = document.createElement("li");
  item.dataset.state = step.state;
  const name = document.createElement("b");
  name.textContent = step.step;
  const how = document.createElement("span");
  const share = step.fraction === null ? "" : ` ${Math.round(step.fraction * 100)} %`;
  how.textContent = `${words[`state_${step.state}`] ?? step.state}${share}${step.seconds ? ` · ${step.seconds.toLocaleString(lang)} s` : ""}`;
  const more = document.createElement("small");
  more.textContent = step.readback;
  item.append(name, how, more);
  return item;
}

function showCard(told) {
  const card = cardOf(told.port);
  card.dataset.state = told.state;
  put(card.querySelector(".what"), told.what);
  put(card.querySelector(".state"), words[told.state]);
  put(card.querySelector(".said"), told.state === "failed" ? "" : told.said);
  if (told.state === "failed") {
    const shown = card.querySelector(".problem");
    put(shown, [told.said, told.cure].filter(Boolean).join(". "));
    shown.hidden = false;
  } else if (told.state === "working") {
    card.querySelector(".problem").hidden = true;
  }
  card.querySelector(".steps").replaceChildren(...told.steps.map(stepLine));
  card.querySelector(".controls").hidden = told.state === "working" || told.state === "gone";
  put(card.querySelector(".make"), words[told.state === "ready" ? "make_node" : "make_again"]);
}

function show(cards) {
  const ports = new Set(cards.map((one) => one.port));
  for (const card of document.querySelectorAll(".board")) if (!ports.has(card.dataset.port)) card.remove();
  cards.forEach(showCard);
  byId("none").hidden = cards.length > 0;
  document.body.dataset.ready = "true";
}

function showLink(isOnline) {
  byId("link").dataset.state = isOnline ? "online" : "offline";
  put(byId("link"), isOnline ? words.online : words.offline);
}

function connect() {
  stream?.close();
  stream = new EventSource(`/api/workshop/events?lang=${lang}`);
  stream.addEventListener("message", (e) => {
    heardMs = Date.now();
    showLink(true);
    show(JSON.parse(e.data));
  });
  stream.addEventListener("error", () => showLink(false));
}

byId("logout").addEventListener("click", api.logout);
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", (e) => e.persisted && connect());
setInterval(() => {
  if (stream.readyState === EventSource.CLOSED || Date.now() - heardMs > SILENCE_MS) connect();
}, 5_000);
connect();
try {
  await api.session();
  assets = await api.get("/api/assets");
  document.querySelectorAll(".board").forEach(offer);
} catch {
  showLink(false);
}
