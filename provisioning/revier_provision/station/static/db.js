// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// What was entered, in the phone's own database: it survives a closed page, an empty battery and
// weeks without reception.

const NAME = "revier-station";

function promised(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

const opened = (() => {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("drafts", { keyPath: "id" });
    request.result.createObjectStore("kept");
  };
  return promised(request);
})();

async function store(name, mode) {
  return (await opened).transaction(name, mode).objectStore(name);
}

export const drafts = {
  all: async () => promised((await store("drafts", "readonly")).getAll()),
  put: async (draft) => promised((await store("drafts", "readwrite")).put(draft)),
  remove: async (id) => promised((await store("drafts", "readwrite")).delete(id)),
};

export const kept = {
  get: async (key) => promised((await store("kept", "readonly")).get(key)),
  put: async (key, value) => promised((await store("kept", "readwrite")).put(value, key)),
};
