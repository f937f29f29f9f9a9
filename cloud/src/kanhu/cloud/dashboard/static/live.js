/* The alarm stream: a doorbell that says which revision the board has reached; rows are then fetched from there.
   Nothing depends on the stream being complete: every beat carries the revision, every return fetches what was missed. */
"use strict";

(() => {
  const BEAT_MS = Number(document.body.dataset.heartbeat) * 1000;
  const STALE_MS = 3 * BEAT_MS;
  const RETRY_MS = 10000;
  const FRESH_MS = 30000;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("kanhu") : null;
  const live = document.getElementById("live");
  const bar = document.getElementById("bar");
  let source = null;
  let lastBeat = performance.now();
  let lastTry = 0;
  let failure = null; // { code } of the last fetch, until one succeeds
  let failedAt = 0;
  let fetchedAt = performance.now();
  let shown = "";
  let busy = false;
  let next = null;

  function open() {
    source?.close();
    lastTry = performance.now();
    source = new EventSource("/events?after=" + kanhu.state.revision);
    let wasOpen = false;
    source.onopen = () => {
      if (wasOpen) refresh();
      wasOpen = true;
    };
    source.onerror = () => source.readyState === EventSource.CLOSED && refresh(); // signed out, or the server is gone
    for (const kind of ["alert", "beat", "reset"])
      source.addEventListener(kind, (event) => {
        const told = { kind, ...JSON.parse(event.data) };
        channel?.postMessage(told);
        hear(told);
      });
  }

  function hear({ kind, revision, now }) {
    const wasStale = isStale();
    lastBeat = performance.now();
    if (now) kanhu.setClock(now);
    if (kind === "reset" || revision > kanhu.state.revision || wasStale) refresh(kind === "reset");
    tick();
  }

  async function refresh(whole, force) {
    if (busy) return void (next = [next?.[0] || whole, next?.[1] || force]);
    busy = true;
    const from = !kanhu.isBoard ? "?ids=-" : whole || failure ? "" : "?after=" + kanhu.state.revision;
    try {
      const answer = await fetch("/rows" + from, { signal: AbortSignal.timeout(15000) });
      if (answer.redirected) return void location.assign("/login");
      if (!answer.ok) throw Object.assign(new Error(), { code: answer.status });
      await kanhu.apply(await answer.text(), force);
      fetchedAt = performance.now();
      failure = null;
    } catch (error) {
      failure = { code: error.code ?? "" };
      failedAt = performance.now();
    } finally {
      busy = false;
    }
    if (next && !failure) refresh(...next);
    next = null;
    tick();
  }

  const silence = () => performance.now() - lastBeat;
  const isStale = () => silence() > STALE_MS;

  function tick() {
    const seconds = Math.round(silence() / 1000);
    const stale = isStale();
    if (stale && performance.now() - lastTry > Math.max(BEAT_MS, 5000)) open(); // frozen, or its leading tab is
    if (failure && performance.now() - failedAt > RETRY_MS) refresh(true);
    if (!failure && performance.now() - fetchedAt > FRESH_MS) refresh(); // people go unseen without an alert changing
    const state = !navigator.onLine ? "offline" : failure?.code ? "error" : stale ? "stale" : failure ? "offline" : kanhu.state.deaf ? "deaf" : "";
    const text = kanhu.say(stale ? "live.lost" : state ? "live.behind" : "live.ago", { n: seconds });
    if (live.lastElementChild.textContent !== text) live.lastElementChild.textContent = text;
    live.classList.toggle("warn", Boolean(state));
    document.documentElement.classList.toggle("trouble", Boolean(state)); // an empty list is then no good news
    show(state, seconds);
  }

  function show(state, seconds) {
    const key = state + Math.floor(seconds / 30); // a screen reader hears it again every half minute, not every second
    if (state ? key === shown : bar.hidden) return;
    if (state && bar.hidden) kanhu.sound.sound(4);
    shown = key;
    bar.hidden = !state;
    bar.className = "bar " + state;
    bar.textContent = state && kanhu.say("bar." + state, { n: seconds, time: kanhu.clockText(kanhu.state.syncedAt), code: failure?.code, detail: kanhu.state.deaf });
  }

  kanhu.refresh = refresh;
  kanhu.live = tick;
  if (channel) channel.onmessage = ({ data }) => hear(data);
  addEventListener("online", () => refresh());
  addEventListener("offline", tick);
  addEventListener("pageshow", (event) => event.persisted && refresh(true));
  addEventListener("DOMContentLoaded", () => {
    if (!kanhu.isBoard) refresh();
    // One stream a browser: the tab that holds the lock listens for all; the others hear it by the channel.
    if (channel && navigator.locks) navigator.locks.request("kanhu-stream", () => new Promise(open));
    else open();
  });
})();
