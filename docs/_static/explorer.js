"use strict";

/* The explorer page: a walk through a graph that was written down while the core ran.
 *
 * No rule of the life cycle is in here. What may happen, what comes of it and how things stand then is
 * looked up; docs/tools/explorer.py says how it is written. */
const docsExplorer = (() => {
  const PARTICIPANTS = ["app", "session", "backend", "platform"];
  const NAMES = {
    app: "The app",
    session: "The session",
    backend: "The customer's backend",
    platform: "social.plus",
    time: "Time, and the machine",
  };
  const MINUTE = "let-a-minute-pass";
  /** So many things may be asked for in a link. */
  const MOST = 2000;
  const worlds = new Map();

  /* ── Walking ── */

  /** All that may happen in a state: what it is, what comes of it, and where it leads. */
  function moves(world, state) {
    const edges = world.states[state][2];
    const found = [];
    for (let place = 0; place < edges.length; place += 3) {
      found.push({
        label: world.labels[edges[place]],
        outcome: world.outcomes[edges[place + 1]],
        target: edges[place + 2],
      });
    }
    return found;
  }

  /** A walk: a world, and the steps that were taken in it. */
  class Walk {
    constructor(world) {
      this.world = world;
      this.steps = [];
      this.undone = [];
      this.#bringWhatIsDue();
    }

    get state() {
      return this.steps.length ? this.steps.at(-1).target : 0;
    }

    get minutes() {
      return this.steps.at(-1)?.at ?? 0;
    }

    get moves() {
      return moves(this.world, this.state);
    }

    /** Have something happen, and then whatever time brings; says whether it can happen here. */
    take(key) {
      const move = this.moves.find((each) => each.label.key === key);
      if (move === undefined) return false;
      this.undone = [];
      this.#add(move);
      this.#bringWhatIsDue();
      return true;
    }

    /** Take the last thing back that was asked for, and what time brought after it. */
    undo() {
      let last;
      do last = this.steps.pop(); while (last?.label.due);
      if (last !== undefined) this.undone.push(last.label.key);
    }

    /** Have the last thing happen again that was taken back; says whether there was any. */
    redo() {
      const { undone } = this;
      if (undone.length === 0) return false;
      this.take(undone.at(-1));
      this.undone = undone.slice(0, -1);
      return true;
    }

    #add(move) {
      this.steps.push({ ...move, source: this.state, at: this.minutes + move.label.minutes });
    }

    #bringWhatIsDue() {
      for (let due = this.moves[0]; due?.label.due; due = this.moves[0]) this.#add(due);
    }

    /** What was asked for, for a link: `day=login-with-an-auth-token.let-a-minute-pass*2`. */
    get link() {
      const parts = [];
      for (const { label } of this.steps.filter((step) => !step.label.due)) {
        const last = parts.at(-1);
        if (last?.key === label.key) last.times += 1;
        else parts.push({ key: label.key, times: 1 });
      }
      const asked = parts.map(({ key, times }) => (times > 1 ? `${key}*${times}` : key));
      return `${this.world.name}=${asked.join(".")}`;
    }
  }

  /** The name of a world and the keys of what happens in it, of a link's fragment. */
  function read(fragment) {
    let text = fragment.replace(/^#/, "");
    try {
      text = decodeURIComponent(text);
    } catch {
      // Then it is taken as it stands.
    }
    const [name, asked = ""] = text.split("=", 2);
    const keys = [];
    for (const part of asked.split(".").filter(Boolean)) {
      const [key, times = "1"] = part.split("*", 2);
      for (let left = Number.parseInt(times, 10) || 1; left > 0 && keys.length <= MOST; left -= 1) keys.push(key);
    }
    return { name, keys };
  }

  /** Load a world, unless it was; a script, for a page that was opened as a file can't fetch. */
  function load(name) {
    const known = worlds.get(name);
    known.loaded ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${folder}/${name}.js`;
      script.onload = () => resolve(known);
      script.onerror = () => {
        delete known.loaded; // so that it is tried again
        reject(new Error(`${known.title} could not be loaded.`));
      };
      document.head.append(script);
    });
    return known.loaded;
  }

  /** Called by a world's script. */
  function add(world) {
    worlds.set(world.name, Object.assign(worlds.get(world.name) ?? {}, world));
  }

  /** What happens, one after the other, and what comes of each: for those who check this page. */
  async function trace(name, keys) {
    const walk = new Walk(await load(name));
    for (const key of keys) {
      if (!walk.take(key)) throw new Error(`${key} cannot happen after ${walk.link}`);
    }
    return walk.steps.map(({ label, outcome, target, at }) => {
      const [state, texts] = walk.world.states[target];
      return {
        ...outcome,
        ...label,
        state,
        texts: texts.map((place) => walk.world.texts[place]),
        at,
        offered: moves(walk.world, target).map((move) => move.label.key).sort(),
      };
    });
  }

  /* ── Showing ── */

  let walk;
  let folder;
  let page;
  /** How often a world was begun: the last one asked for counts, and not the last one loaded. */
  let begun = 0;

  /** An element, with attributes and what is in it. */
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  async function start() {
    const root = document.getElementById("explorer");
    if (root === null) return;
    folder = root.dataset.worlds;
    page = {
      figure: document.querySelector("figure.session-diagram"),
      menu: element("select", { id: "explorer-world", onchange: choose }),
      about: element("p"),
      slider: element("input", {
        id: "explorer-time", type: "range", min: "0", step: "1", oninput: slide, onchange: leaveRoom,
      }),
      time: element("span", { "aria-hidden": "true" }),
      undo: element("button", { type: "button", disabled: "", onclick: undo }, "Take back"),
      redo: element("button", { type: "button", disabled: "", onclick: redo }, "Do again"),
      again: element("button", { type: "button", disabled: "", onclick: again }, "Begin anew"),
      copy: element("button", { type: "button", onclick: copy }, "Copy link"),
      told: element("p", { role: "status", class: "explorer-told" }),
      now: element("section", { class: "explorer-now", tabindex: "-1", "aria-label": "Now" }),
      state: element("strong", { class: "explorer-state" }),
      situation: element("ul"),
      events: element("div", { class: "explorer-events" }),
      sequence: element("ol", { class: "explorer-sequence" }),
      steps: element("ol", { class: "explorer-steps" }),
    };
    for (const { name, title } of worlds.values()) page.menu.append(element("option", { value: name }, title));
    root.append(
      element("div", { class: "explorer-picture" }, page.figure ?? ""),
      element("div", { class: "explorer-controls" },
        element("p", {}, element("label", { for: "explorer-world" }, "A small world: "), page.menu),
        page.about,
        element("p", { class: "explorer-time" },
          element("label", { for: "explorer-time" }, "Minutes: "), page.slider, page.time),
        element("p", { class: "explorer-buttons" }, page.undo, page.redo, page.again, page.copy),
        element("p", { class: "explorer-line" }, "The session is ", page.state, "."),
        page.now,
        page.events),
      element("section", { class: "explorer-messages", "aria-labelledby": "explorer-sequence" },
        element("h2", { id: "explorer-sequence" }, "What went to and fro"),
        element("div", { class: "explorer-scroll", tabindex: "0", role: "group", "aria-label": "Messages" },
          element("div", { class: "explorer-heads", "aria-hidden": "true" },
            ...PARTICIPANTS.map((each) => element("span", {}, NAMES[each]))),
          page.sequence)),
      element("section", { class: "explorer-why", "aria-labelledby": "explorer-steps" },
        element("h2", { id: "explorer-steps" }, "What happened, and why"), page.steps),
    );
    page.now.append(page.situation, page.told);
    addEventListener("hashchange", follow);
    document.addEventListener("click", followAgain);
    await follow();
  }

  /** Go where the address leads, if that is a scenario: it may be a heading of this page, or nothing. */
  async function follow() {
    const asked = location.hash; // it changes with what is shown
    if (!asked.includes("=")) {
      // The address stays as it is until something happens, so that it still leads to that heading.
      if (walk === undefined) await begin(worlds.keys().next().value, [], { addressed: false });
      return;
    }
    if (asked === `#${walk?.link}`) return;
    const { name, keys } = read(asked);
    const isKnown = worlds.has(name);
    if (!await begin(isKnown ? name : worlds.keys().next().value, isKnown ? keys : [])) return;
    if (!isKnown) page.told.textContent = `There is no world ${name}.`;
    present();
  }

  /** Have whoever followed a link see, and hear, where it led. */
  function present() {
    if (page.told.textContent === "") {
      const last = walk.steps.findLastIndex(({ label }) => !label.due);
      page.told.textContent = inWords(walk.steps.slice(Math.max(last, 0)));
    }
    page.now.scrollIntoView({ block: "nearest" });
    page.now.focus({ preventScroll: true });
  }

  /** A link to where one is already changes no address, and would do nothing. */
  function followAgain(event) {
    const link = event.target.closest?.("a[href]");
    if (link?.hash === `#${walk?.link}` && link.href === location.href) present();
  }

  /** Begin a world, and have things happen in it; says whether it is shown. */
  async function begin(name, keys = [], { addressed = true } = {}) {
    const number = (begun += 1);
    page.events.inert = true; // what is pressed meanwhile would be lost
    let world;
    try {
      world = await load(name);
    } catch (error) {
      if (number !== begun) return false;
      page.menu.value = walk?.world.name ?? name;
      page.told.textContent = error.message;
      page.events.inert = false;
      return false;
    }
    if (number !== begun) return false;
    walk = new Walk(world);
    const refused = keys.slice(0, MOST).findIndex((key) => !walk.take(key));
    page.events.inert = false;
    show({ addressed });
    if (refused >= 0) page.told.textContent = `This cannot happen here: ${keys[refused]}. The link ends before.`;
    else if (keys.length > MOST) page.told.textContent = `Of a link, ${MOST} things are done and no more.`;
    return true;
  }

  async function choose() {
    await begin(page.menu.value);
  }

  async function again() {
    if (!await begin(walk.world.name)) return;
    page.told.textContent = "Begun anew.";
    keepFocus();
  }

  function happen(key) {
    const before = walk.steps.length;
    walk.take(key);
    show();
    page.told.textContent = inWords(walk.steps.slice(before));
    const next = page.events.querySelector(`[data-key="${key}"]`) ?? page.now;
    next.focus({ preventScroll: true });
  }

  function undo() {
    walk.undo();
    show();
    page.told.textContent = "Taken back.";
    keepFocus();
  }

  function redo() {
    const before = walk.steps.length;
    walk.redo();
    show();
    page.told.textContent = inWords(walk.steps.slice(before));
    keepFocus();
  }

  /** A button that can't be pressed again loses the focus; leave it where one goes on from. */
  function keepFocus() {
    if (document.activeElement === document.body || document.activeElement?.disabled) {
      page.now.focus({ preventScroll: true });
    }
  }

  /** Let time pass up to where the slider is, or take back what came after; that comes again to the right. */
  function slide() {
    const wanted = Number(page.slider.value);
    const before = walk.steps.length;
    const { max } = page.slider;
    if (walk.minutes > wanted) {
      while (walk.minutes > wanted) walk.undo();
      show();
      page.told.textContent = "Taken back.";
    } else {
      while (walk.minutes < wanted && (walk.redo() || walk.take(MINUTE)));
      const isStuck = walk.minutes < wanted;
      show();
      const said = inWords(walk.steps.slice(before));
      page.told.textContent = isStuck ? `${said} No time can pass here.`.trim() : said;
    }
    page.slider.max = max; // while it is being dragged
  }

  /** Let the slider go on beyond where it is. */
  function leaveRoom() {
    page.slider.max = Math.max(10, walk.minutes + 5);
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(new URL(`#${walk.link}`, location.href).href);
      page.told.textContent = "The link is copied.";
    } catch {
      page.told.textContent = "The browser does not let this page copy; the link is in the address bar.";
    }
  }

  /** What came of steps, in sentences; minutes in which nothing happens are told together. */
  function inWords(steps) {
    const said = [];
    let minutes = 0;
    steps.forEach((step, place) => {
      if (step.label.key !== MINUTE) {
        said.push(sentence(step));
        return;
      }
      minutes += 1;
      if (steps[place + 1]?.label.key === MINUTE) return;
      said.push(minutes === 1 ? "A minute passes." : `${minutes} minutes pass.`);
      minutes = 0;
    });
    return said.join(" ");
  }

  function sentence({ label, outcome, source, target }) {
    const [before] = walk.world.states[source];
    const [after] = walk.world.states[target];
    const moved = before === after ? "" : ` The session moves from ${before} to ${after}.`;
    const nothing = { refused: ` Refused: ${outcome.why}.`, dropped: ` Dropped: ${outcome.why}.` };
    return `${happened(label)}.${moved}${nothing[outcome.verdict] ?? ""}`;
  }

  /** Who does what; what time brings is nobody's doing. */
  function happened({ due, who, text }) {
    return due ? text[0].toUpperCase() + text.slice(1) : `${NAMES[who]}: ${text}`;
  }

  function show({ addressed = true } = {}) {
    const { world } = walk;
    const [state, texts] = world.states[walk.state];
    page.menu.value = world.name;
    page.about.textContent = world.about;
    page.state.textContent = state;
    page.told.textContent = "";
    page.situation.replaceChildren(...texts.map((place) => element("li", {}, world.texts[place])));
    leaveRoom();
    page.slider.value = walk.minutes;
    page.slider.setAttribute("aria-valuetext", `${walk.minutes} ${walk.minutes === 1 ? "minute" : "minutes"}`);
    page.time.textContent = walk.minutes;
    page.undo.disabled = page.again.disabled = walk.steps.length === 0;
    page.redo.disabled = walk.undone.length === 0;
    page.events.replaceChildren(...groups());
    page.sequence.replaceChildren(...walk.steps.flatMap(({ outcome }) => outcome.messages.map(message)));
    page.sequence.parentElement.scrollTop = page.sequence.parentElement.scrollHeight;
    page.steps.replaceChildren(...walk.steps.map(told));
    point(state);
    if (!addressed) return;
    try {
      history.replaceState(null, "", `#${walk.link}`);
    } catch {
      // Some browsers count how often that is done; the next time will do.
    }
  }

  /** Show in the picture where the session is, and along which arrow it came. */
  function point(state) {
    const last = walk.steps.findLast(({ label }) => !label.due);
    const from = last === undefined ? 0 : walk.steps.indexOf(last);
    const taken = new Set(walk.steps.slice(from).map(({ source, target }) =>
      `${walk.world.states[source][0]}->${walk.world.states[target][0]}`));
    for (const part of page.figure?.querySelectorAll("g.node, g.edge") ?? []) {
      const name = part.querySelector("title")?.textContent;
      part.classList.toggle("explorer-here", name === state);
      part.classList.toggle("explorer-taken", taken.has(name));
    }
  }

  /** The buttons, by who does it. */
  function groups() {
    const made = [];
    for (const who of Object.keys(NAMES)) {
      const theirs = walk.moves.filter(({ label }) => label.who === who);
      if (theirs.length === 0) continue;
      made.push(element("fieldset", {}, element("legend", {}, NAMES[who]), ...theirs.map(button)));
    }
    return made;
  }

  function button({ label, outcome }) {
    const inVain = outcome.verdict === "refused" || outcome.verdict === "dropped";
    return element(
      "button",
      {
        type: "button", "data-key": label.key, class: inVain ? "explorer-in-vain" : "",
        onclick: () => happen(label.key),
      },
      label.text,
      ...(inVain ? [" ", element("small", {}, outcome.verdict)] : []),
    );
  }

  /** A message, between the lines of two that it goes between. */
  function message([sender, receiver, text, inVain]) {
    const [from, to] = [sender, receiver].map((each) => PARTICIPANTS.indexOf(each));
    const way = from === to ? "within" : from < to ? "to-the-right" : "to-the-left";
    const place = from === to
      ? `${2 * from + 2} / span ${from === PARTICIPANTS.length - 1 ? 1 : 2}`
      : `${2 * Math.min(from, to) + 2} / ${2 * Math.max(from, to) + 2}`;
    const who = from === to ? NAMES[sender] : `${NAMES[sender]} to ${NAMES[receiver]}`;
    const shown = element("span", { class: `explorer-${way}${inVain ? " explorer-in-vain" : ""}` },
      element("span", { class: "explorer-unseen" }, `${who}: `), element("span", {}, text));
    shown.style.gridColumn = place;
    return element("li", {}, shown);
  }

  /** A step, and why. */
  function told(step) {
    const { label, outcome, source, target, at } = step;
    const [before] = walk.world.states[source];
    const [after] = walk.world.states[target];
    const said = [element("strong", {}, happened(label))];
    said.push(before === after ? ` (${after}, minute ${at})` : ` (${before} → ${after}, minute ${at})`);
    const lines = [];
    if (outcome.verdict === "taken") lines.push(element("code", {}, outcome.why));
    else if (outcome.verdict) lines.push(`${outcome.verdict}: ${outcome.why}`);
    if (outcome.commands.length) lines.push(`commands: ${outcome.commands.join(", ")}`);
    const made = element("li", {}, ...said);
    for (const line of lines) made.append(element("br"), line);
    if (outcome.requirements.length) {
      made.append(element("br"), "see ");
      outcome.requirements.forEach((id, place) => {
        const href = `reference/requirements.html#${id.toLowerCase()}`;
        made.append(place ? ", " : "", element("a", { href }, id));
      });
    }
    return made;
  }

  document.addEventListener("DOMContentLoaded", start);
  return { add, read, trace, worlds };
})();
