/* Keeps the screen as the box says. Without it every page still works, reloaded every five seconds. */
"use strict";
(() => {
  const LOST_MS = 15000, IDLE_MS = 120000, SCAN_PAUSE_MS = 1000;
  const PARTS = ["top", "main", "state"];
  const by = (id) => document.getElementById(id);
  let heard = Date.now(), busy = false, again = false, source, revision = "";

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, {cache: "no-store"});
      if (!answer.ok) return;
      const text = await answer.text();
      if (answer.redirected && new URL(answer.url).pathname !== location.pathname) { location.replace(answer.url); return; }
      const next = new DOMParser().parseFromString(text, "text/html");
      document.documentElement.lang = next.documentElement.lang;
      document.title = next.title;
      PARTS.forEach((id) => swap(by(id), next.getElementById(id)));
      document.querySelectorAll("#wedge [name=token]").forEach((field) => { field.value = next.querySelector("#wedge [name=token]").value; });
    } catch { /* the box is away: the stream says so */ } finally {
      busy = false;
      if (again) { again = false; refresh(); }
    }
  }

  /* New content under the same element: focus, what was typed, and how far a list was scrolled stay. */
  function swap(old, fresh) {
    if (!old || !fresh || old.innerHTML === fresh.innerHTML) return;
    const held = old.contains(document.activeElement) ? document.activeElement.id : "";
    const typed = by("code") && old.contains(by("code")) ? by("code").value : "";
    const scrolled = [...old.querySelectorAll("[id]")].map((part) => [part.id, part.scrollTop, part.scrollLeft]);
    old.replaceChildren(...fresh.childNodes);
    if (typed && by("code")) by("code").value = typed;
    for (const [id, top, left] of scrolled) if ((top || left) && by(id)) by(id).scrollTo(left, top);
    if (held && by(held)) by(held).focus({preventScroll: true});
  }

  function listen() {
    source = new EventSource("/events");
    source.onmessage = (event) => {
      heard = Date.now();
      by("lost").hidden = true;
      if (event.data !== revision) { revision = event.data; refresh(); }
    };
  }
  setInterval(() => {
    if (Date.now() - heard < LOST_MS) return;
    by("lost").hidden = false;
    if (source.readyState === EventSource.CLOSED) listen();
  }, 1000);

  /* A scanner is a keyboard: what it types anywhere is a card, and its Enter presses no button. */
  let code = "", last = 0;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.id === "code") return;
    if (event.timeStamp - last > SCAN_PAUSE_MS) code = "";
    if (event.key.length === 1 && event.key !== " ") { code += event.key; last = event.timeStamp; }
    if (event.key === "Enter" && code.length > 1) {
      event.preventDefault();
      by("wedge").elements.code.value = code;
      code = "";
      by("wedge").submit();
    }
  }, true);

  /* Nobody's readings stay open on a screen that nobody looks at. */
  let idle;
  const awake = () => {
    clearTimeout(idle);
    if (location.pathname !== "/" && location.pathname !== "/now") idle = setTimeout(() => location.assign("/"), IDLE_MS);
  };
  ["pointerdown", "keydown"].forEach((kind) => addEventListener(kind, awake, {passive: true}));
  awake();
  listen();
})();
