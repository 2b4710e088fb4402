/** Where the page starts: load the Socket.IO client, find out who this is, show the chat. */

import { Client } from "../parley/client.js";
import { trimmedInbox } from "../parley/letters.js";
import { Store } from "../parley/store.js";
import { device, tab } from "./browser.js";
import { confirm } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { Drafts } from "./drafts.js";
import { sentence } from "./format.js";
import { watchIdleness } from "./idle.js";
import * as sessions from "./session.js";
import { Shell } from "./shell.js";
import { signIn } from "./signin.js";
import { toastPlace } from "./toasts.js";

const SOCKET_IO = new URL(
  "../node_modules/socket.io-client/dist/socket.io.esm.min.js",
  import.meta.url,
);
const RENEW_AT_MOST_EVERY = 30_000; // ms

const root = document.getElementById("app");
document.body.append(toastPlace());

async function start() {
  let io;
  try {
    ({ io } = await import(SOCKET_IO));
  } catch {
    return fill(root, missing());
  }
  await chat(io, sessions.remembered() ?? (await signedIn()));
}

async function signedIn(reason) {
  const session = await signIn(root, reason);
  sessions.remember(session);
  return session;
}

async function chat(io, session) {
  const store = new Store(session.user);
  const inboxStore = new Store(`${session.user}:inbox`, { trim: trimmedInbox });
  const drafts = new Drafts(session.user, tab);
  const client = new Client({ io, ...session, store, inboxStore, storage: device });
  client.on("refused", (error) => refused(client, session, error));
  const signOut = () => leave(client, session, drafts);
  new Shell(root, client, drafts, { signOut, another: Boolean(session.name) });
  listen(client);
  sessions.onSignedOut(session, () => location.reload());
  await client.start();
}

function listen(client) {
  addEventListener("online", () => client.hurry());
  addEventListener("pagehide", () => client.flush());
  addEventListener("storage", (event) => client.touched(event.key));
  watchIdleness((idle) => client.ownStatus.idle(idle));
}

/** The server does not take this token. Who signed in by name gets a new one by herself, once in a while. */
async function refused(client, session, error) {
  const now = Date.now();
  if (session.name && now - (session.renewed ?? 0) > RENEW_AT_MOST_EVERY) {
    try {
      const { token } = await sessions.byName(session.name);
      Object.assign(session, { token, renewed: now });
      sessions.remember(session);
      return client.renew(token);
    } catch {
      // Then by hand.
    }
  }
  // What was received and what is unsent stays on the device for when she is back.
  client.stop();
  sessions.forget(session);
  await signedIn(sentence(error.message));
  location.reload();
}

async function leave(client, session, drafts) {
  const unsent = client.outbox.entries().length;
  const question = "This device forgets your conversations; the server keeps them.";
  const warning =
    "Some of what you wrote has not been sent and will be lost. Sign out all the same?";
  if (!(await confirm("Sign out?", unsent ? warning : question, "Sign out"))) return;
  await client.forget();
  drafts.clear();
  sessions.forget(session);
  history.replaceState(null, "", location.pathname);
  location.reload();
}

function missing() {
  return h(
    "main",
    { class: "signin", "data-testid": "missing-client" },
    h("h1", {}, "One step is missing"),
    h(
      "p",
      { class: "lead" },
      "The page needs the Socket.IO client, which npm brings. In the folder of this page run",
    ),
    h("pre", {}, h("code", {}, "npm ci")),
    h("p", {}, "and reload. Without npm, any other Socket.IO client can talk to this server."),
  );
}

start();
