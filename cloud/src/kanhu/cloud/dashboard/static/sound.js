/* Alarm sounds, made here: no file to load, one at a time, the highest priority first. */
"use strict";

kanhu.sound = (() => {
  const TUNES = { 1: [784, 5, 0.16], 2: [523, 3, 0.2], 4: [262, 2, 0.26] }; // pitch in Hz, pulses, seconds a pulse
  const AGAIN_MS = 10000;
  const MUTE_MS = 120000;
  const byId = (id) => document.getElementById(id);
  const heard = new Map(JSON.parse(sessionStorage.getItem("heard") ?? "[]")); // alert id -> how often it sounded
  let audio = null;
  let lastNow = -AGAIN_MS;
  let mutedUntil = 0;
  let playing = null;
  const due = new Set(); // priorities asked for under a more urgent sound: they follow it
  let mayPlay = !navigator.locks; // of several tabs one sounds

  const isOn = () => audio?.state === "running";

  function play(priority) {
    if (!isOn() || !mayPlay) return;
    if (isPlaying() && playing.priority <= priority) {
      if (playing.priority < priority) due.add(priority);
      return;
    }
    playing?.gain.disconnect();
    const [pitch, pulses, length] = TUNES[priority];
    const gain = new GainNode(audio, { gain: 0 });
    gain.connect(audio.destination);
    const tone = new OscillatorNode(audio, { type: "triangle", frequency: pitch });
    tone.connect(gain);
    let at = audio.currentTime + 0.02;
    for (let pulse = 0; pulse < pulses; pulse++) {
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.5, at + 0.02);
      gain.gain.setValueAtTime(0.5, at + length - 0.03);
      gain.gain.linearRampToValueAtTime(0, at + length);
      at += length + (pulse === 2 ? 0.28 : 0.1);
    }
    tone.start();
    tone.stop(at);
    tone.onended = () => gain === playing?.gain && follow();
    playing = { priority, until: at, gain };
    kanhu.sound.played.push(priority);
  }

  function follow() {
    playing = null;
    const [next] = [...due].sort();
    if (due.delete(next)) sound(next);
  }

  async function start(test) {
    audio ??= new AudioContext();
    await Promise.race([audio.resume(), new Promise((done) => setTimeout(done, 400))]);
    if (!isOn()) return show();
    sessionStorage.setItem("shift", "1");
    if (test) {
      mayPlay = true;
      lastNow = performance.now();
      localStorage.setItem("sound-tested", String(kanhu.now()));
      play(1);
    }
    navigator.locks?.request("kanhu-sound", () => new Promise(() => (mayPlay = true)));
    show();
  }

  function show() {
    const left = Math.ceil((mutedUntil - performance.now()) / 1000);
    const tested = Number(localStorage.getItem("sound-tested"));
    const button = byId("sound");
    byId("bar-sound").hidden = isOn();
    button.hidden = false;
    button.setAttribute("aria-pressed", String(left > 0));
    const text = left > 0 ? kanhu.say("sound.muted", { n: left }) : isOn() && tested ? kanhu.say("sound.tested", { time: kanhu.clockText(tested) }) : kanhu.say("sound.off_short");
    if (byId("sound-text").textContent !== text) {
      byId("sound-text").textContent = text;
      button.setAttribute("aria-label", text);
    }
  }

  function mute() {
    if (!isOn()) return start(true);
    mutedUntil = mutedUntil > performance.now() ? 0 : performance.now() + MUTE_MS;
    if (mutedUntil) {
      playing?.gain.disconnect();
      playing = null;
      due.clear();
    }
    show();
  }

  /* New alerts sound once; what was on the board before this page opened does not, except Now. */
  function update(first) {
    const known = new Set(kanhu.state.alarms.map((alarm) => alarm.id));
    for (const id of heard.keys()) if (!known.has(id)) heard.delete(id);
    for (const alarm of kanhu.state.alarms) {
      if (heard.has(alarm.id) || isHeld(alarm)) continue;
      heard.set(alarm.id, 1);
      if (alarm.p === 1) { mutedUntil = 0; lastNow = -AGAIN_MS; }
      else if (!first && (alarm.p === 2 || (alarm.p === 4 && kanhu.state.unseenHigh))) sound(alarm.p);
    }
    keep();
    tick(); // at once: timers of a hidden tab may come a minute apart
  }

  const isHeld = (alarm) => alarm.held * 1000 > kanhu.now();
  const sound = (priority) => mutedUntil > performance.now() || play(priority);
  const keep = () => sessionStorage.setItem("heard", JSON.stringify([...heard]));

  function tick() {
    const urgent = kanhu.state.alarms.some((alarm) => alarm.p === 1);
    if (urgent && performance.now() - lastNow >= AGAIN_MS && isOn() && mutedUntil <= performance.now()) {
      lastNow = performance.now();
      play(1);
    }
    for (const alarm of kanhu.state.alarms) {
      if (alarm.p !== 2 || isHeld(alarm)) continue;
      const times = heard.get(alarm.id) ?? 0;
      if (times === 0 || (times === 1 && kanhu.now() > alarm.half * 1000)) {
        heard.set(alarm.id, times + 1);
        sound(2);
        keep();
      }
    }
    show();
  }

  byId("start").addEventListener("click", () => start(true));
  byId("sound").addEventListener("click", mute);
  if (sessionStorage.getItem("shift")) start(false);
  else show();
  const isPlaying = () => Boolean(playing) && playing.until > audio.currentTime;
  return { update, tick, mute, sound, isPlaying, played: [] };
})();
