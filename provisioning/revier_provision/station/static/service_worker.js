// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// The install page opens without reception: its shell is kept, newest first. Answers of the API are
// never kept here; what was entered is in the page's own database.

const SHELL = "revier-shell-1";
const FILES = [
  "/install", "/static/station.css", "/static/install.js", "/static/db.js", "/static/api.js",
  "/static/camera.js", "/static/icon.svg", "/manifest.webmanifest",
];

// The page that registers this worker was fetched before it: the worker fetches it once more.
async function keepAll() {
  const cache = await caches.open(SHELL);
  await Promise.all(FILES.map(async (path) => keep(cache, path, await fetch(path))));
  await skipWaiting();
}

// Not the login that an expired session leads to.
async function keep(cache, request, answer) {
  if (answer.ok && !answer.redirected) await cache.put(request, answer.clone());
}

addEventListener("install", (event) => event.waitUntil(keepAll()));

addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name !== SHELL).map((name) => caches.delete(name));
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names))).then(() => clients.claim()));
});

const isShell = (url) => url.origin === location.origin
  && FILES.includes(url.pathname);

async function newestFirst(request) {
  const cache = await caches.open(SHELL);
  try {
    const answer = await fetch(request);
    await keep(cache, request, answer);
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
