// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// Asking the station. Three ways to fail: no reception, nobody logged in, and a refusal in words.

export class NoReception extends Error {}
export class NotLoggedIn extends Error {}
export class Refusal extends Error {
  constructor({ key, problem, cure }) {
    super(`${problem}. ${cure}.`);
    this.key = key;
  }
}

const LIMIT_MS = 20_000;
const lang = document.documentElement.lang;
let csrf = "";
export let clockOffsetMs = 0; // station minus phone

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`${path}?lang=${lang}`, {
      ...options, signal: AbortSignal.timeout(LIMIT_MS), redirect: "error",
    });
  } catch {
    throw new NoReception();
  }
  if (answer.status === 401) throw new NotLoggedIn();
  const said = await answer.json().catch(() => null);
  if (answer.ok && said !== null) return said;
  if (said?.problem) throw new Refusal(said);
  throw new NoReception(); // a proxy's page, or the station is starting
}

export async function session() {
  const askedMs = Date.now();
  const said = await ask("/api/session");
  csrf = said.csrf;
  clockOffsetMs = Date.parse(said.now) - (askedMs + Date.now()) / 2;
  return said;
}

export const get = (path) => ask(path);

export async function post(path, body) {
  if (!csrf) await session();
  const isBlob = body instanceof Blob;
  const send = () => ask(path, {
    method: "POST",
    headers: { "x-revier-csrf": csrf, "content-type": isBlob ? body.type || "image/jpeg" : "application/json" },
    body: isBlob ? body : JSON.stringify(body),
  });
  try {
    return await send();
  } catch (error) {
    if (error.key !== "foreign_page") throw error;
    await session(); // somebody has logged in anew since
    return send();
  }
}

export async function logout() {
  await post("/logout", {}).catch(() => {});
  location.assign("/login");
}
