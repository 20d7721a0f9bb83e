// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// The install page opens without reception: its shell is kept, newest first. Answers of the API are
// never kept here; what was entered is in the page's own database.

const SHELL = "revier-shell-1";
const FILES = [
  "/static/station.css", "/static/install.js", "/static/db.js", "/static/api.js",
  "/static/camera.js", "/static/icon.svg", "/manifest.webmanifest",
];

addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name !== SHELL).map((name) => caches.delete(name));
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names))).then(() => clients.claim()));
});

const isShell = (url) => url.origin === location.origin
  && (url.pathname === "/install" || FILES.includes(url.pathname));

async function newestFirst(request) {
  const cache = await caches.open(SHELL);
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request, { ignoreVary: true })
      ?? await cache.match(request, { ignoreVary: true, ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && isShell(new URL(event.request.url))) {
    event.respondWith(newestFirst(event.request));
  }
});
