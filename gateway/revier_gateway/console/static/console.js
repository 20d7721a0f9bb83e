// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// The live page. The server says everything in words (see present.py); this module puts it in
// place: lists, map, chart, age of each reading. Text from outside only ever goes to textContent.

import { Chart } from "./chart.js";
import { DistrictMap } from "./map.js";

const words = JSON.parse(document.body.dataset.words);
const lang = document.documentElement.lang;
const locale = lang === "en" ? "en-GB" : "de-DE";
const MESSAGES_MAX = 50;
const SILENCE_MS = 10_000; // the server speaks every 2 s
const HISTORY_EVERY_MS = 3_000;
const LINES_MAX = 4;
const MAIN_KEY = { air: "pm25", parking: "occupied", waste: "fill" };
const byId = (id) => document.getElementById(id);

const nodes = new Map();
let clockOffsetMs = 0; // server minus browser
let selected = null;
const nowMs = () => Date.now() + clockOffsetMs;

// ---- words ------------------------------------------------------------------------------------
const relative = new Intl.RelativeTimeFormat(locale, { style: "short", numeric: "always" });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const seconds = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });

function age(t) {
  const s = (nowMs() - Date.parse(t)) / 1000;
  if (s < 10) return words.now;
  if (s < 90) return relative.format(-Math.round(s), "second");
  if (s < 5400) return relative.format(-Math.round(s / 60), "minute");
  if (s < 129600) return relative.format(-Math.round(s / 3600), "hour");
  return relative.format(-Math.round(s / 86400), "day");
}

function putTime(time, t, say) {
  if (!t || Number.isNaN(Date.parse(t))) {
    time.textContent = words.never;
    time.removeAttribute("datetime");
    return;
  }
  if (time.dateTime !== t) time.dateTime = t;
  time.title = exact.format(new Date(t));
  const text = say(t);
  if (time.textContent !== text) time.textContent = text;
}

const atSecond = (t) => seconds.format(new Date(t));

function tellAges() {
  for (const time of document.querySelectorAll(".node time, .radio time")) {
    putTime(time, time.getAttribute("datetime"), age);
  }
  for (const time of document.querySelectorAll(".message time[datetime]")) {
    putTime(time, time.dateTime, atSecond);
  }
}

// ---- lists ------------------------------------------------------------------------------------
const put = (parent, selector, text) => {
  const found = parent.querySelector(selector);
  if (found.textContent !== text) found.textContent = text;
};
const fromTemplate = (name) => byId(name).content.firstElementChild.cloneNode(true);
const useShape = (parent, kind) => {
  parent.querySelector(".shape").setAttribute("class", `shape shape-${kind}`);
  parent.querySelector("use").setAttribute("href", `#shape-${kind}`);
};

function showNode(node) {
  const group = document.querySelector(`[data-group="${CSS.escape(node.kind)}"]`);
  let item = document.querySelector(`.node[data-asset="${CSS.escape(node.asset)}"]`);
  if (!item) {
    item = fromTemplate("node-template");
    item.dataset.asset = node.asset;
    group.querySelector("ul").append(item);
    group.hidden = false;
    byId("main").querySelector('[data-empty-for="nodes"]').hidden = true;
  }
  item.dataset.kind = node.kind;
  item.dataset.status = node.status;
  useShape(item, node.kind);
  put(item, ".node-name", node.name);
  put(item, ".node-town", node.town);
  put(item, ".node-status", node.status_text);
  put(item, ".value", node.headline ? node.headline.text : "–");
  put(item, ".unit", node.headline ? node.headline.unit : "");
  const rest = node.readings.filter((one) => one.key !== node.headline?.key);
  put(item, ".node-more", rest.map(sayReading).join(" · "));
  item.querySelector(".node-more").title = rest.map(sayReading).join("\n");
  putTime(item.querySelector("time"), node.t, age);
}

const sayReading = (one) =>
  `${one.label} ${one.text}${one.unit ? ` ${one.unit}` : ""}${one.flag ? ` (${one.flag})` : ""}`;

function showMessages(messages, isFull) {
  const list = byId("messages");
  if (isFull) list.replaceChildren();
  for (const message of [...messages].reverse()) {
    const item = fromTemplate("message-template");
    item.dataset.kind = message.kind;
    item.dataset.id = message.id;
    useShape(item, message.kind);
    putTime(item.querySelector("time"), message.rx ?? message.t, atSecond);
    put(item, ".message-name", message.name);
    put(item, ".message-text", message.text + (message.late ? ` (${words.late})` : ""));
    item.title = message.text;
    list.prepend(item);
  }
  while (list.children.length > MESSAGES_MAX) list.lastElementChild.remove();
  document.querySelector('[data-empty-for="messages"]').hidden = list.children.length > 0;
}

function showRadios(radios) {
  for (const one of radios) {
    let item = document.querySelector(`.radio[data-id="${CSS.escape(one.id)}"]`);
    if (!item) {
      item = fromTemplate("radio-template");
      item.dataset.id = one.id;
      byId("radios").append(item);
    }
    put(item, ".radio-name", one.name);
    put(item, ".radio-frames", `${numbers.format(one.frames)} ${words.frames}`);
    putTime(item.querySelector("time"), one.last_seen, age);
    map.radio(one, `${numbers.format(one.frames)} ${words.frames}`);
  }
  document.querySelector('[data-empty-for="radios"]').hidden = radios.length > 0;
}

function showFigures(list, name, figures) {
  for (const { key, label, text } of figures) {
    let item = list.querySelector(`[data-${name}="${CSS.escape(key)}"]`);
    if (!item) {
      item = document.createElement("div");
      item.dataset[name] = key;
      item.append(document.createElement("dt"), document.createElement("dd"));
      list.append(item);
    }
    put(item, "dt", label);
    put(item, "dd", text);
  }
}

function showLink(name, state, text) {
  const item = document.querySelector(`[data-link="${name}"]`);
  item.dataset.state = state;
  put(item, "b", text);
}

// ---- map --------------------------------------------------------------------------------------
const map = new DistrictMap(byId("map"), words, (asset) => select(asset));

function showNodeMarker(node, isFresh) {
  const said = node.readings.slice(0, 4).map(sayReading);
  map.node(node, [node.town, ...said], node.asset === selected, isFresh);
}

// ---- history ----------------------------------------------------------------------------------
const chart = new Chart(byId("chart"), byId("chart-legend"), locale, words);
let quantity = "pm25";
let historyTimer = null;

async function loadHistory() {
  historyTimer = null;
  const asked = [selected, quantity];
  const airNodes = [...nodes.values()].filter((node) => node.kind === "air").map((node) => node.asset);
  const wanted = selected ? [selected] : airNodes.slice(0, LINES_MAX);
  const query = new URLSearchParams({ lang, key: quantity });
  const found = await Promise.all(wanted.map(async (asset) => {
    const answer = await fetch(`/api/history/${encodeURIComponent(asset)}?${query}`);
    return answer.ok ? answer.json() : { asset, key: "", offered: [], points: [] };
  }));
  if (asked[0] === selected && asked[1] === quantity) showHistory(found);
}

function wantHistory(delayMs = HISTORY_EVERY_MS) {
  if (historyTimer !== null && delayMs > 0) return;
  clearTimeout(historyTimer);
  historyTimer = setTimeout(() => loadHistory().catch(() => {}), delayMs);
}

function showHistory(histories) {
  const offered = new Map(histories.flatMap((one) => one.offered.map(({ key, label }) => [key, label])));
  if (!offered.has(quantity)) quantity = histories.find((one) => one.key)?.key ?? quantity;
  const list = byId("quantity");
  const signature = [...offered.keys()].join();
  if (list.dataset.signature !== signature) {
    list.replaceChildren(...[...offered].map(([key, label]) => new Option(label, key)));
    list.dataset.signature = signature;
  }
  list.value = quantity;
  list.hidden = offered.size < 2;
  const fitting = histories.filter((one) => one.key === quantity);
  chart.show(nodes.get(selected)?.kind ?? "air", quantity, fitting.map((one) => ({
    ...one,
    name: nodes.get(one.asset)?.name ?? one.asset,
    points: one.points.map(([t, value]) => [Date.parse(t), value]),
  })));
}

// ---- choice -----------------------------------------------------------------------------------
function select(asset) {
  selected = asset === selected ? null : asset;
  const node = nodes.get(selected);
  quantity = MAIN_KEY[node?.kind ?? "air"] ?? "";
  byId("chart-title").textContent = node?.name ?? words.all_air;
  byId("show-all").hidden = !node;
  showSignal();
  for (const item of document.querySelectorAll(".node")) {
    const isChosen = item.dataset.asset === selected;
    item.classList.toggle("is-selected", isChosen);
    item.querySelector("button").setAttribute("aria-pressed", String(isChosen));
  }
  map.select(selected);
  wantHistory(0);
}

function showSignal() {
  const node = nodes.get(selected);
  const { dr, rssi, snr, f_cnt } = node?.signal ?? {};
  const parts = [node?.asset, dr != null && `DR${dr}`, rssi != null && `${rssi} dBm`,
    snr != null && `SNR ${numbers.format(snr)} dB`, f_cnt != null && `#${f_cnt}`];
  byId("signal").textContent = parts.filter(Boolean).join(" · ");
}

// ---- stream -----------------------------------------------------------------------------------
let heardMs = 0;
let stream = null;

function apply(state) {
  clockOffsetMs = Date.parse(state.now) - Date.now();
  for (const name of ["source", "feed"]) showLink(name, state.links[name].state, state.links[name].text);
  showFigures(byId("figures"), "figure", state.figures);
  const counters = Object.entries(state.counters).map(([key, text]) => ({ key, label: key, text }));
  showFigures(byId("counters"), "counter", counters);
  const changed = state.nodes ?? state.changed;
  for (const node of changed) {
    const isFresh = !state.nodes && nodes.get(node.asset)?.id !== node.id;
    nodes.set(node.asset, node);
    showNode(node);
    showNodeMarker(node, isFresh);
  }
  showMessages(state.messages ?? state.fresh, Boolean(state.messages));
  showRadios(state.radio_gateways);
  map.spread();
  if (changed.length) {
    showSignal();
    wantHistory(state.nodes ? 0 : HISTORY_EVERY_MS);
  }
  tellAges();
}

function connected(isConnected) {
  showLink("page", isConnected ? "online" : "offline", isConnected ? words.live : words.interrupted);
  const text = isConnected ? "" : words.lost.replace("{time}", seconds.format(heardMs || Date.now()));
  if (byId("lost").textContent !== text) byId("lost").textContent = text;
}

function connect() {
  stream?.close();
  stream = new EventSource(`/events?lang=${lang}`);
  stream.addEventListener("state", (e) => {
    heardMs = Date.now();
    apply(JSON.parse(e.data));
    connected(true);
  });
  stream.addEventListener("error", () => connected(false));
}

function watch() {
  tellAges();
  const isSilent = Date.now() - heardMs > SILENCE_MS;
  if (isSilent) connected(false);
  if (isSilent || stream.readyState === EventSource.CLOSED) connect();
}

byId("show-all").addEventListener("click", () => select(selected));
byId("quantity").addEventListener("change", (e) => { quantity = e.target.value; wantHistory(0); });
document.addEventListener("click", (e) => {
  const item = e.target.closest?.(".node-pick")?.closest(".node");
  if (item) select(item.dataset.asset);
});
addEventListener("pagehide", () => stream.close());
addEventListener("pageshow", (e) => e.persisted && connect());
heardMs = Date.now();
connect();
setInterval(watch, 5_000);
