// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// The install page: six steps for one node. Every entry is in the database before the next step
// opens; what is signed off waits there until the station has taken it.

import * as api from "./api.js";
import { canScan, scan, shrunk } from "./camera.js";
import { drafts, kept } from "./db.js";

const words = JSON.parse(document.body.dataset.words);
const lang = document.documentElement.lang;
const numbers = new Intl.NumberFormat(lang === "en" ? "en-GB" : "de-DE", { maximumFractionDigits: 1 });
const STEPS = ["label", "place", "asset", "photo", "trial", "sign"];
const TICK_MS = 3_000;
const LIST_EVERY_MS = 30_000;
const ACCURACY_MAX_M = 50;
const ACCURACY_GOOD_M = 8;
const MEASURE_MS = 60_000;
const LONG_MS = 4 * 60_000;
const OFF_SHARE_MAX = 0.05;
const ASSETS_MAX = 30;
const EARTH_M = 6_371_008.8;
const LATER = ["too_few", "no_trial", "not_learnt", "not_measured", "network_server"];

const byId = (id) => document.getElementById(id);
const stepOf = (name) => document.querySelector(`[data-step="${name}"]`);
const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const metres = (m) => (m < 1000 ? `${numbers.format(Math.round(m))} m` : `${numbers.format(m / 1000)} km`);
const inFours = (eui) => eui.toUpperCase().match(/.{4}/g).join(" ");
const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };

let draft = fresh();
let queue = []; // signed off, not yet forgotten
let assets = [];
let opened = null; // the step that the installer opened by hand
let link = "online";
let busy = false;
let listedMs = 0;
let refused = ""; // why the trial was not begun

function fresh() {
  return {
    id: crypto.randomUUID(), state: "open", madeAt: Date.now(), devEui: "", kind: null, place: null, asset: null,
    isNew: false, photo: null, photoName: "", trial: null, emptyMm: "", fullMm: "", note: "", replace: false,
  };
}

async function change(values) {
  Object.assign(draft, values);
  await drafts.put(draft);
  show();
}

// ---- what is done ---------------------------------------------------------------------------------
const verdict = () => draft.trial?.said ?? null;
const geometryFits = () => draft.kind !== "waste" || (Number(draft.emptyMm) > Number(draft.fullMm) && draft.fullMm !== "");

function isDone(step) {
  switch (step) {
    case "label": return Boolean(draft.devEui);
    case "place": return Boolean(draft.place);
    case "asset": return Boolean(draft.asset);
    case "photo": return Boolean(draft.photo);
    case "trial": return Boolean(verdict()?.colour) && geometryFits()
      && (draft.kind !== "parking" || verdict().baseline === "learnt")
      && (draft.kind !== "waste" || verdict().distance_mm !== null);
    default: return false;
  }
}

// Without reception the uplinks are judged later: begun is enough to sign off.
function isReady(step) {
  if (step !== "trial" || link === "online") return isDone(step);
  return Boolean(draft.trial) && geometryFits();
}

function needsNote() {
  return verdict()?.colour === "red" && draft.note.trim().length < 5;
}

// ---- showing it -----------------------------------------------------------------------------------
function show() {
  const next = STEPS.find((step) => !isDone(step));
  const open = opened ?? next;
  for (const name of STEPS) {
    const step = stepOf(name);
    step.classList.toggle("is-done", isDone(name));
    // The verdict stays in sight, with what can be done about it or the sign-off below.
    const isOpen = name === open || (["trial", "sign"].includes(name) && Boolean(draft.trial) && opened === null);
    step.classList.toggle("is-open", isOpen);
    step.querySelector(".change").hidden = isOpen || !(isDone(name) || name === "trial" && draft.trial);
    put(step.querySelector(".mark"), isDone(name) ? "✓" : String(STEPS.indexOf(name) + 1));
    put(step.querySelector(".summary"), isOpen && name === "trial" ? "" : summary(name));
  }
  showAssets();
  showTrial();
  showSign();
  showQueue();
}

function summary(step) {
  const { asset, place } = draft;
  if (step === "label" && draft.devEui) return `${inFours(draft.devEui)}${draft.kind ? ` · ${words[`kind_${draft.kind}`]}` : ""}`;
  if (step === "place" && place) return say("accuracy", { metres: metres(place.accuracy_m) });
  if (step === "asset" && asset) return `${asset.name} · ${asset.asset}`;
  if (step === "trial" && verdict()) return verdict().colour ? verdict().colour_words : say("heard", { count: Math.min(3, verdict().uplinks) });
  return "";
}

function distanceM(one, other) {
  const rad = Math.PI / 180;
  const half = Math.sin((other.lat - one.lat) * rad / 2) ** 2
    + Math.cos(one.lat * rad) * Math.cos(other.lat * rad) * Math.sin((other.lon - one.lon) * rad / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(half)));
}

function choices() {
  const own = assets.find((one) => one.dev_eui === draft.devEui);
  const fitting = assets.filter((one) => one.kind === draft.kind && (!own || one.ags === own.ags));
  const away = (one) => (draft.place ? distanceM(draft.place, one) : 0);
  return fitting.map((one) => ({ ...one, away: away(one) }))
    .sort((a, b) => (b.dev_eui === draft.devEui) - (a.dev_eui === draft.devEui) || a.away - b.away)
    .slice(0, ASSETS_MAX);
}

// A list is made anew only when it says something else: under a finger it stays where it is.
function isShown(list, what) {
  const signature = JSON.stringify(what);
  if (list.dataset.signature === signature) return true;
  list.dataset.signature = signature;
  return false;
}

function showAssets() {
  if (!stepOf("asset").classList.contains("is-open")) return;
  const offered = choices();
  if (isShown(byId("assets"), [offered, draft.devEui, draft.place])) return;
  const items = offered.map((one) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const name = document.createElement("b");
    const more = document.createElement("small");
    button.type = "button";
    button.dataset.asset = one.asset;
    name.textContent = one.name;
    const served = one.dev_eui && one.dev_eui !== draft.devEui;
    more.textContent = [
      one.dev_eui === draft.devEui && say("planned_for", { name: one.asset }),
      one.dev_eui !== draft.devEui && one.asset,
      draft.place && say("away", { metres: metres(one.away) }),
      served && say("served", { dev_eui: inFours(one.dev_eui) }),
    ].filter(Boolean).join(" · ");
    button.append(name, more);
    button.addEventListener("click", () => choose(one));
    item.append(button);
    return item;
  });
  byId("assets").replaceChildren(...items);
}

function showTrial() {
  const { trial, kind } = draft;
  const said = verdict();
  const asks = { parking: ["vacant_ask", "vacant_why", "vacant_yes"], waste: ["empty_ask", "empty_why", "empty_yes"] }[kind];
  byId("ask").hidden = Boolean(trial) || !asks;
  if (asks) {
    put(byId("ask-what"), words[asks[0]]);
    put(byId("ask-why"), words[asks[1]]);
  }
  byId("begin").hidden = Boolean(trial);
  put(byId("begin"), words[asks ? asks[2] : "begin"]);
  byId("waiting").hidden = !trial || isDone("trial") || Boolean(said?.colour);
  const isLong = trial && Date.now() - Date.parse(trial.begunAt) > LONG_MS;
  put(byId("wait-hint"), words[isLong ? "long_wait" : "may_take"]);
  byId("again").hidden = !trial;
  showVerdict(said);
  byId("baseline").hidden = kind !== "parking" || !said;
  if (said) put(byId("baseline"), `${words.baseline}: ${said.baseline_words}`);
  showContainer(said);
}

function showVerdict(said) {
  const box = byId("verdict");
  box.hidden = !draft.trial;
  box.dataset.colour = said?.colour ?? "none";
  put(box.querySelector(".colour"), said?.colour_words ?? words.colour_none);
  const heard = Math.min(3, said?.uplinks ?? 0);
  for (const [i, dot] of [...box.querySelectorAll(".dots li")].entries()) dot.classList.toggle("is-heard", i < heard);
  put(box.querySelector(".count"), say("heard", { count: heard }));
  box.querySelector(".advice").replaceChildren(...(said?.advice_words ?? []).map((text) => line("li", text)));
  const figures = said?.reserve_db == null ? [] : [
    ["reserve", `${numbers.format(said.reserve_db)} dB`],
    ["margin", `${numbers.format(said.margin_db)} dB`],
    ["spreading_factor", `SF${said.spreading_factor}`],
    ["rssi", `${said.rssi_dbm} dBm`],
    ["radio_gateways", String(said.gateways)],
    ["lost", String(said.lost)],
  ];
  box.querySelector(".figures").replaceChildren(
    ...figures.flatMap(([key, text]) => [line("dt", words[key]), line("dd", text)]),
  );
  problem("trial", refused || (said?.trouble ? `${said.trouble.problem}. ${said.trouble.cure}.` : ""));
}

function line(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

function showContainer(said) {
  byId("container").hidden = draft.kind !== "waste" || !draft.trial;
  if (byId("container").hidden) return;
  const measured = said?.distance_mm ?? null;
  put(byId("distance"), `${words.measured}: ${measured === null ? words.not_measured : `${numbers.format(measured)} mm`}`);
  byId("use-measured").hidden = measured === null || Number(draft.emptyMm) === measured;
  for (const [id, value] of [["empty-mm", draft.emptyMm], ["full-mm", draft.fullMm]]) {
    if (document.activeElement !== byId(id)) byId(id).value = value;
  }
  const entered = Number(draft.emptyMm);
  const share = measured === null || !entered ? 0 : Math.abs(measured - entered) / entered;
  const text = share > OFF_SHARE_MAX ? say("geometry_off", { share: numbers.format(Math.round(share * 100)) }) : words.geometry_fits;
  put(byId("geometry"), measured !== null && entered ? text : "");
}

function showSign() {
  const lacking = STEPS.slice(0, -1).filter((step) => !isReady(step));
  const served = draft.asset?.dev_eui && draft.asset.dev_eui !== draft.devEui;
  byId("replace-label").hidden = !served;
  byId("replace").checked = draft.replace;
  byId("note-label").hidden = verdict()?.colour !== "red";
  if (document.activeElement !== byId("note")) byId("note").value = draft.note;
  put(byId("missing"), lacking.length ? say("missing", { steps: lacking.map((step) => words[`step_${step}`]).join(", ") }) : "");
  byId("sign").disabled = lacking.length > 0 || needsNote() || (served && !draft.replace);
}

function showQueue() {
  const told = queue.map((one) => [one.id, one.state, one.said]);
  if (isShown(byId("sent"), [told, draft.devEui])) return;
  const items = queue.map((one) => {
    const item = document.createElement("li");
    item.dataset.state = one.state;
    item.append(line("b", one.state === "sent" ? words.signed : one.state === "refused" ? words.not_sent : words.queued));
    item.append(line("span", `${one.asset.name} · ${inFours(one.devEui)}`));
    if (one.said) item.append(line("span", one.said));
    if (one.state === "refused" && draft.devEui === "") {
      const button = line("button", words.edit_again);
      button.type = "button";
      button.className = "big";
      button.addEventListener("click", () => edit(one));
      item.append(button);
    }
    return item;
  });
  byId("sent").replaceChildren(...items);
}

function showLink(state) {
  link = state;
  const element = byId("link");
  element.dataset.state = state;
  const waiting = queue.filter((one) => one.state === "waiting").length;
  const more = waiting ? ` · ${say("waiting_to_send", { count: waiting })}` : "";
  if (state === "login") {
    const anchor = line("a", words.login_again);
    anchor.href = "/login";
    element.replaceChildren(anchor, more);
  } else {
    put(element, words[state] + more);
  }
}

function problem(step, text) {
  const element = stepOf(step).querySelector(".problem");
  element.hidden = !text;
  put(element, text);
}

// ---- step 1: label --------------------------------------------------------------------------------
const LABEL = /^LW:D0:[0-9A-F]{16}:([0-9A-F]{16}):[0-9A-F]{4}([0-9A-F]{4})(:|$)/;

function euiIn(text) {
  const bare = text.trim().replace(/[-: ]/g, "").toLowerCase();
  if (/^[0-9a-f]{16}$/.test(bare)) return bare;
  return LABEL.exec(text.trim().toUpperCase())?.[1].toLowerCase() ?? null;
}

// The list at hand knows every node that serves something; the station is asked for the others.
async function take(text) {
  problem("label", "");
  const devEui = euiIn(text);
  const known = assets.find((one) => one.dev_eui === devEui);
  try {
    if (known) await took({ dev_eui: devEui, kind: known.kind, known: true });
    else await took(await api.post("/api/label", { text }));
  } catch (error) {
    if (error instanceof api.Refusal) problem("label", error.message);
    else if (devEui && !assets.length) await took({ dev_eui: devEui, kind: null, known: true });
    else problem("label", devEui ? words.unknown_node : words.offline);
  }
}

async function took({ dev_eui: devEui, kind, known }) {
  if (!known) {
    problem("label", words.unknown_node);
    return;
  }
  opened = null;
  await change({ devEui, kind, trial: null });
}

// ---- step 2: position -----------------------------------------------------------------------------
let watch = null;

function stopMeasuring() {
  if (watch === null) return;
  navigator.geolocation.clearWatch(watch.id);
  clearTimeout(watch.timer);
  watch = null;
  byId("measure").disabled = false;
  put(byId("measure"), words.measure_place);
}

function measure() {
  problem("place", "");
  byId("measure").disabled = true;
  put(byId("measure"), words.measuring);
  let best = null;
  const found = ({ coords }) => {
    const place = { lon: coords.longitude, lat: coords.latitude, accuracy_m: Math.max(coords.accuracy, 0.1) };
    if (!best || place.accuracy_m < best.accuracy_m) best = place;
    put(byId("place-now"), say(best.accuracy_m > ACCURACY_MAX_M ? "place_coarse" : "accuracy", { metres: metres(best.accuracy_m) }));
    if (best.accuracy_m <= ACCURACY_GOOD_M) end();
  };
  const end = () => {
    stopMeasuring();
    if (!best || best.accuracy_m > ACCURACY_MAX_M) return;
    put(byId("place-now"), "");
    opened = null;
    change({ place: best });
  };
  const refused = (error) => {
    if (error.code !== error.PERMISSION_DENIED) return;
    stopMeasuring();
    problem("place", words.place_denied);
  };
  const options = { enableHighAccuracy: true, maximumAge: 0, timeout: MEASURE_MS };
  watch = { timer: setTimeout(end, MEASURE_MS / 3), id: navigator.geolocation.watchPosition(found, refused, options) };
}

// ---- step 3: asset --------------------------------------------------------------------------------
async function choose(asset, isNew = false) {
  opened = null;
  const { empty_mm: empty, full_mm: full } = asset;
  await change({ asset, isNew, replace: false, emptyMm: empty == null ? "" : String(empty), fullMm: full == null ? "" : String(full) });
}

function create() {
  const name = byId("new-name").value.trim();
  const id = byId("new-id").value.trim();
  if (!name || !/^[a-z0-9][a-z0-9-]{0,47}$/.test(id) || assets.some((one) => one.asset === id)) {
    problem("asset", `${words.asset_name} / ${words.asset_id}`);
    return;
  }
  problem("asset", "");
  choose({ asset: id, name, kind: draft.kind }, true);
}

// ---- step 5: uplinks ------------------------------------------------------------------------------
async function begin() {
  const begunAt = new Date(Date.now() + api.clockOffsetMs).toISOString();
  await change({ trial: { begunAt, vacant: draft.kind === "parking", told: false, said: null } });
  tick();
}

async function follow(one) {
  if (!one.trial.told) {
    const { begunAt, vacant } = one.trial;
    one.trial.said = await api.post("/api/trials", { dev_eui: one.devEui, begun_at: begunAt, vacant });
    one.trial.told = true;
  } else {
    one.trial.said = await api.get(`/api/trials/${one.devEui}`);
  }
  if (one.kind === null) one.kind = one.trial.said.kind;
  if (one === draft || queue.includes(one)) await drafts.put(one); // not discarded meanwhile
}

// ---- step 6: sign-off, and sending it when there is reception ---------------------------------------
async function sign() {
  draft.state = "waiting";
  await drafts.put(draft);
  queue.push(draft);
  draft = fresh();
  opened = null;
  byId("eui").value = "";
  show();
  scrollTo({ top: 0 });
  tick();
}

async function send(one) {
  if (!one.trial.told) await follow(one);
  if (!one.photoName) {
    one.photoName = (await api.post("/api/photos", one.photo)).photo;
    await drafts.put(one);
  }
  const chosen = one.isNew ? { new: { asset: one.asset.asset, name: one.asset.name } } : { asset: one.asset.asset };
  const waste = one.kind === "waste" ? { empty_mm: Number(one.emptyMm), full_mm: Number(one.fullMm) } : {};
  await api.post("/api/installations", {
    id: one.id, dev_eui: one.devEui, place: one.place, photo: one.photoName, replace: one.replace, note: one.note.trim(),
    ...chosen, ...waste,
  });
  one.state = "sent";
  listedMs = 0;
  one.said = "";
  await drafts.remove(one.id);
}

async function trySend(one) {
  try {
    await send(one);
  } catch (error) {
    if (!(error instanceof api.Refusal)) throw error;
    if (error.key === "photo_missing") one.photoName = "";
    if (!LATER.includes(error.key)) one.state = "refused";
    one.said = error.message;
    await drafts.put(one);
  }
}

async function edit(one) {
  queue = queue.filter((other) => other !== one);
  draft = one;
  await change({ state: "open", said: "" });
}

async function discard() {
  if (!confirm(words.discard_sure)) return;
  await drafts.remove(draft.id);
  draft = fresh();
  opened = null;
  show();
}

// ---- the beat ---------------------------------------------------------------------------------------
async function beat() {
  await api.session();
  if (Date.now() - listedMs > LIST_EVERY_MS) {
    assets = await api.get("/api/assets");
    await kept.put("assets", assets);
    listedMs = Date.now();
  }
  const moved = assets.find((one) => one.asset === draft.asset?.asset);
  if (moved && !draft.isNew) draft.asset = moved;
  refused = "";
  if (draft.trial) await follow(draft).catch((error) => refusedTrial(error));
  for (const one of queue.filter((other) => other.state === "waiting")) await trySend(one);
}

function refusedTrial(error) {
  if (!(error instanceof api.Refusal)) throw error;
  refused = error.message;
}

async function tick() {
  if (busy) return;
  busy = true;
  try {
    await beat();
    showLink("online");
  } catch (error) {
    if (error instanceof api.NoReception) showLink("offline");
    else if (error instanceof api.NotLoggedIn) showLink("login");
    else throw error;
  } finally {
    busy = false;
    show();
  }
}

// ---- hands ----------------------------------------------------------------------------------------
byId("eui-take").addEventListener("click", () => take(byId("eui").value));
byId("eui").addEventListener("keydown", (e) => e.key === "Enter" && take(byId("eui").value));
byId("label-photo").addEventListener("change", async (e) => {
  problem("label", "");
  const [file] = e.target.files;
  e.target.value = "";
  if (!file) return;
  try {
    await took(await api.post("/api/label/photo", await shrunk(file)));
  } catch (error) {
    problem("label", error instanceof api.Refusal ? error.message : words.offline);
  }
});
byId("scan").addEventListener("click", async () => {
  byId("finder").hidden = false;
  byId("scan").hidden = true;
  const stopped = new Promise((resolve) => byId("scan-stop").addEventListener("click", resolve, { once: true }));
  try {
    const text = await scan(byId("video"), (found) => euiIn(found) !== null, stopped);
    if (text) await take(text);
  } catch {
    problem("label", words.scan_photo);
  } finally {
    byId("finder").hidden = true;
    byId("scan").hidden = false;
  }
});
byId("measure").addEventListener("click", measure);
byId("new-take").addEventListener("click", create);
byId("photo").addEventListener("change", async (e) => {
  const [file] = e.target.files;
  e.target.value = "";
  if (!file) return;
  opened = null;
  await change({ photo: await shrunk(file), photoName: "" });
});
byId("begin").addEventListener("click", begin);
byId("again").addEventListener("click", () => change({ trial: null }));
byId("use-measured").addEventListener("click", () => change({ emptyMm: String(verdict().distance_mm) }));
byId("empty-mm").addEventListener("input", (e) => change({ emptyMm: e.target.value.replace(/\D/g, "") }));
byId("full-mm").addEventListener("input", (e) => change({ fullMm: e.target.value.replace(/\D/g, "") }));
byId("note").addEventListener("input", (e) => change({ note: e.target.value }));
byId("replace").addEventListener("change", (e) => change({ replace: e.target.checked }));
byId("sign").addEventListener("click", sign);
byId("discard").addEventListener("click", discard);
byId("logout").addEventListener("click", api.logout);
for (const button of document.querySelectorAll("[data-change]")) {
  button.addEventListener("click", () => { opened = button.dataset.change; show(); });
}
addEventListener("online", tick);
addEventListener("offline", () => { showLink("offline"); show(); });

const found = await drafts.all();
queue = found.filter((one) => one.state !== "open");
draft = found.find((one) => one.state === "open") ?? draft;
assets = (await kept.get("assets")) ?? [];
canScan().then((can) => { byId("scan").hidden = !can; byId("label-photo-label").classList.toggle("primary", !can); });
show();
await navigator.serviceWorker?.register("/sw.js").catch(() => {});
await tick();
document.body.dataset.ready = "true";
setInterval(tick, TICK_MS);
