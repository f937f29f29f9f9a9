/* The board in the browser: places fresh rows, keeps clocks, serves the keys. live.js brings the rows, sound.js sounds. */
"use strict";

const kanhu = (() => {
  const data = document.body.dataset;
  const words = JSON.parse(data.words);
  const byId = (id) => document.getElementById(id);
  const list = byId("list");
  const panel = list && byId("panel");
  const wide = matchMedia("(min-width:1241px)");
  const HANDS_OFF_MS = 5000; // the order stays while somebody points or types in the list, and this long after
  const LOCK_MS = 300000;
  const state = { revision: 0, alarms: [], unseenHigh: 0, syncedAt: 0, selected: "", stale: false };
  let base = Date.now() - performance.now(); // until the server tells the time
  let touchedList = -HANDS_OFF_MS;
  let touchedPage = performance.now();

  const now = () => base + performance.now();
  const setClock = (ms) => (base = ms - performance.now());

  function say(key, values = {}) {
    const word = words[key];
    const text = Array.isArray(word) ? word[values.n === 1 ? 0 : 1] : word;
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  function duration(seconds) {
    const minutes = Math.max(0, Math.floor(seconds / 60));
    if (minutes < 60) return say("time.minutes", { n: minutes });
    const h = Math.floor(minutes / 60);
    if (h >= 24) return say("time.days", { n: Math.floor(h / 24) });
    return minutes % 60 ? say("time.hours_minutes", { h, m: minutes % 60 }) : say("time.hours", { n: h });
  }

  function clockText(ms) {
    return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: data.zone }).format(ms);
  }

  function tell(text) {
    byId("said").textContent = text;
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => (byId("said").textContent = ""), Number(data.undo) * 1000);
  }

  const setText = (element, text) => element.textContent !== text && (element.textContent = text);
  const rowOf = (id) => byId("row-" + id);
  const swap = (target, fresh, how) => htmx.swap({ sourceElement: target, target, text: fresh.outerHTML, swap: how });

  /* ---- what the server says of the board ---- */

  function readSync(sync) {
    const before = new Set(state.alarms.filter((a) => a.p === 1).map((a) => a.id));
    const first = !state.syncedAt;
    state.revision = Math.max(state.revision, Number(sync.dataset.revision));
    state.alarms = JSON.parse(sync.dataset.alarm);
    state.unseenHigh = Number(sync.dataset.unseenHigh);
    state.deaf = sync.dataset.deaf; // what keeps the county from hearing its gateways, empty when nothing does
    setClock(Number(sync.dataset.now));
    state.syncedAt = now();
    const urgent = state.alarms.filter((a) => a.p === 1);
    for (const badge of document.querySelectorAll(".badge")) {
      badge.hidden = !urgent.length;
      setText(badge, String(urgent.length));
    }
    document.title = document.title.replace(/^(\(\d+\) )?/, urgent.length ? `(${urgent.length}) ` : "");
    if (!first && urgent.some((a) => !before.has(a.id))) byId("spoken").textContent = say("say.now_alert", { n: urgent.length });
    kanhu.sound?.update(first);
  }

  async function apply(html, force) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const sync = fresh.getElementById("sync");
    if (!sync) return;
    readSync(sync);
    if (!list) return;
    const show = [...list.classList].find((name) => name.startsWith("show-")).slice(5);
    fresh.querySelector(`[data-show="${show}"]`)?.setAttribute("aria-current", "true");
    for (const part of fresh.querySelectorAll("[data-morph]")) await swap(byId(part.id), part, "outerMorph");
    let selectedChanged = false;
    const arrived = new Map();
    for (const row of fresh.querySelectorAll("#fresh > .row")) {
      const old = rowOf(row.dataset.id);
      if (row.dataset.id === state.selected) {
        row.setAttribute("aria-current", "true");
        selectedChanged = true;
      }
      if (old) await swap(old, row, "outerMorph");
      else arrived.set(row.dataset.id, document.importNode(row, true));
    }
    arrange(sync.dataset.order, arrived, sync.dataset.whole === "1" || force, force);
    tick.waits();
    if (selectedChanged && state.selected) showAlert(state.selected, true);
  }

  /* Rows take the places the server gives, unless a hand is on the list: then only Now alerts come in, on top. */
  function arrange(order, arrived, whole, force) {
    const wanted = order ? order.split(" ").map((entry) => entry.split(/:(.*)/s)) : [];
    const ids = new Set(wanted.map(([, id]) => id));
    const held = !force && performance.now() - touchedList < HANDS_OFF_MS;
    let waiting = 0;
    let missing = false;
    let moved = false;
    for (const section of list.querySelectorAll(".group")) {
      const places = section.querySelector("ol");
      let next = places.firstElementChild;
      for (const [group, id] of wanted) {
        if (group !== section.dataset.group) continue;
        const row = rowOf(id) || arrived.get(id);
        const isNew = !rowOf(id);
        if (!row) { missing = true; continue; }
        if (held && isNew && group === "high") places.prepend(row);
        else if (held) { waiting += isNew; moved ||= isNew; continue; }
        else if (row === next) { next = next.nextElementSibling; continue; }
        else places.insertBefore(row, next);
        if (isNew) { row.classList.add("new"); htmx.process(row); }
      }
      for (const row of [...places.children]) {
        if (ids.has(row.dataset.id)) continue;
        if (held) moved = true;
        else row.remove();
      }
    }
    const newer = byId("newer");
    newer.hidden = !waiting;
    if (waiting) setText(newer, say("list.new", { n: waiting }));
    arrange.pending = held && moved;
    if (missing && !whole) kanhu.refresh?.(true);
    if (wide.matches && !rowOf(state.selected)) select(list.querySelector(".row"), false);
  }

  /* ---- one alert beside the list ---- */

  function select(row, focus) {
    for (const other of list.querySelectorAll(".row[aria-current]")) other.removeAttribute("aria-current");
    state.selected = row?.dataset.id ?? "";
    if (!row) return note("panel.choose");
    row.setAttribute("aria-current", "true");
    if (focus) row.querySelector("a").focus();
    row.scrollIntoView({ block: "nearest" });
    if (wide.matches) showAlert(state.selected, false);
  }

  const note = (key) => panel.replaceChildren(Object.assign(document.createElement("p"), { className: "pad mut", textContent: say(key) }));

  function showAlert(id, same) {
    const writing = panel.querySelector(".close :checked") || panel.querySelector("textarea")?.value;
    if (!wide.matches || (same && writing)) return;
    if (!same) note("panel.loading");
    htmx.ajax("GET", "/alerts/" + encodeURIComponent(id), { target: "#panel", swap: same ? "innerMorph" : "innerHTML", source: "#panel" });
  }

  /* ---- time ---- */

  function tick() {
    tick.count = (tick.count ?? 0) + 1;
    if (list && tick.count % 5 === 0) {
      tick.waits();
      if (arrange.pending && performance.now() - touchedList >= HANDS_OFF_MS) kanhu.refresh?.(true);
    }
    document.documentElement.classList.toggle("locked", performance.now() - touchedPage > LOCK_MS);
    kanhu.live?.();
    kanhu.sound?.tick();
  }

  tick.waits = () => {
    const seconds = now() / 1000;
    for (const row of list.querySelectorAll(".row:not(.done)")) {
      const opened = Number(row.dataset.opened);
      const due = Number(row.dataset.due);
      const late = seconds - due;
      const wait = row.querySelector(".wait");
      setText(wait.querySelector("b"), duration(seconds - opened));
      setText(wait.querySelector("span"), late >= 60 ? say("wait.late", { duration: duration(late) }) : say("wait.of", { duration: duration(due - opened) }));
      wait.classList.toggle("late", late > 0);
      wait.querySelector("rect").setAttribute("width", Math.min(100, Math.max(0, Math.round((100 * (seconds - opened)) / (due - opened)))));
    }
  };

  /* ---- hands ---- */

  function help() {
    if (byId("help").open) return byId("help").close();
    htmx.ajax("GET", "/help", { target: "#help", swap: "innerHTML", source: "#help" }).then(() => {
      byId("help").showModal();
      singleKeysBox();
    });
  }

  function singleKeysBox() {
    const box = byId("single-keys");
    if (!box) return;
    box.checked = !localStorage.getItem("no-single-keys");
    box.onchange = () => (box.checked ? localStorage.removeItem("no-single-keys") : localStorage.setItem("no-single-keys", "1"));
  }

  function step(by) {
    const rows = [...list.querySelectorAll(".row")].filter((row) => row.offsetParent);
    const at = rows.findIndex((row) => row.dataset.id === state.selected);
    select(rows[Math.min(rows.length - 1, Math.max(0, at + by))], true);
  }

  const keys = {
    j: () => list && step(1),
    k: () => list && step(-1),
    t: () => document.querySelector(".row[aria-current=true] .claim, .panel.alone .claim, .alertbar form")?.requestSubmit(),
    c: () => {
      const call = document.querySelector("[data-first-call]");
      call?.click();
      call?.parentElement.querySelector(".tel").focus();
    },
    m: () => kanhu.sound?.mute(),
    "?": help,
    Enter: () => panel && wide.matches && panel.querySelector("button,a,summary")?.focus(),
  };

  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=radio],[type=checkbox]),textarea,select,dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem("no-single-keys")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const onRow = event.target.closest(".row a");
    if (key === "Enter" && (!onRow || onRow.closest(".row").dataset.id !== state.selected || !wide.matches)) return;
    if (Object.hasOwn(keys, key)) {
      event.preventDefault();
      keys[key]();
    }
  });

  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"])
    addEventListener(kind, (event) => {
      touchedPage = performance.now();
      document.documentElement.classList.remove("locked");
      if (list?.contains(event.target)) touchedList = touchedPage;
    }, { passive: true });

  addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest("a");
    const filter = link?.dataset.show;
    if (link?.matches("[data-help]")) help();
    else if (filter && list) {
      list.className = list.className.replace(/show-\w+/, "show-" + filter);
      for (const chip of document.querySelectorAll(".chip")) chip.toggleAttribute("aria-current", chip.dataset.show === filter);
      document.querySelector(`.chip[data-show="${filter}"]`).setAttribute("aria-current", "true");
      history.replaceState(null, "", link.href);
    } else if (wide.matches && link?.matches(".row .who a")) select(link.closest(".row"), false);
    else return;
    event.preventDefault();
  });
  byId("newer")?.addEventListener("click", () => kanhu.refresh(true, true));

  /* ---- what htmx brings back ---- */

  addEventListener("htmx:before:response", (event) => {
    const { raw } = event.detail.ctx.response;
    if (!raw.redirected || !new URL(raw.url).pathname.startsWith("/login")) return;
    event.preventDefault();
    location.assign("/login");
  });
  addEventListener("htmx:response:error", (event) => {
    if (event.detail.ctx.response.status !== 404) tell(say("say.failed"));
    else kanhu.refresh?.(true);
  });
  addEventListener("htmx:error", () => tell(say("say.failed")));
  addEventListener("htmx:after:swap", (event) => {
    const { target } = event.detail.ctx;
    if (!target?.classList?.contains("row")) return;
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => byId("said").replaceChildren(), Number(data.undo) * 1000);
    const row = rowOf(target.dataset.id);
    if (row && row.dataset.id === state.selected) {
      row.setAttribute("aria-current", "true");
      showAlert(state.selected, true);
    }
  });

  function begin() {
    singleKeysBox();
    const sync = byId("sync");
    if (sync) readSync(sync);
    if (list && wide.matches) select(list.querySelector(".row"), false);
    setInterval(tick, 1000);
  }

  addEventListener("DOMContentLoaded", begin);
  return { state, now, setClock, say, clockText, apply, isBoard: Boolean(list) };
})();
