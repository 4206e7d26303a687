// Levers: native range and radio inputs, drawn once, then kept in step with the scenario.
const SAME_GESTURE_MS = 1200;
const ANSWER_MAX_MS = 2500;
// A move that no run has answered, while none is under way, was lost (the connection was cut and came back): it is told again.
const LOST_AFTER_MS = 5000;
const MOST_TRIES = 3;

const busy = () => document.querySelector("[data-testid=stApp]")?.getAttribute("data-test-script-state") === "running";

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.className = value;
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
};

// Streamlit's shortcuts are deaf while an input has the focus: a slider has no use for letters, so it hands them on.
const handOnLetters = (event) => {
  if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey || event.key === " ") return;
  event.stopPropagation();
  for (const type of ["keydown", "keyup"]) {
    document.body.dispatchEvent(new KeyboardEvent(type, { key: event.key, code: event.code, keyCode: event.keyCode, bubbles: true }));
  }
};

// What two runs must share for the inputs to be kept: everything but the values.
const shapeOf = (data) => JSON.stringify([data.locale, data.first, data.texts, data.levers.map((l) => ({ ...l, value: 0, note: "" }))]);

const formatter = (locale, lever) => {
  const numbers = new Intl.NumberFormat(locale, {
    minimumFractionDigits: lever.decimals, maximumFractionDigits: lever.decimals,
  });
  return (value) => `${numbers.format(value)}\u00a0${lever.unit}`;
};

const share = (lever, value) => (100 * (value - lever.min)) / (lever.max - lever.min);

class Levers {
  constructor(root) {
    this.root = root;
    this.shape = "";
    this.items = new Map();
    this.gesture = { key: "", number: 0, at: 0 };
    this.sentAt = 0;
    this.waiting = null;
    this.held = "";
    this.unanswered = null;
    this.told = "";
  }

  update(data, send) {
    this.send = send;
    this.sentAt = 0;
    const shape = shapeOf(data);
    if (shape !== this.shape) { this.build(data); this.shape = shape; }
    const told = this.unanswered && data.levers.find((lever) => lever.key === this.unanswered.key);
    const other = data.gesture !== this.told && data.gesture !== this.unanswered?.gesture; // undone, or another gesture
    if (told && (String(told.value) === String(this.unanswered.value) || other)) this.answered();
    this.told = data.gesture;
    for (const lever of data.levers) {
      if (this.unanswered?.key === lever.key) continue; // a run begun before the move: its value is the old one
      this.items.get(lever.key).show(lever.value, this.held === lever.key, lever.note);
    }
    if (this.waiting) { const next = this.waiting; this.waiting = null; this.tell(next.key, next.value, next.live); }
  }

  // While dragging, at most one message is under way; the last position waits for the answer.
  tell(key, value, live) {
    const now = performance.now();
    if (live && this.sentAt && now - this.sentAt < ANSWER_MAX_MS) { this.waiting = { key, value, live }; return; }
    if (!live) this.waiting = null;
    if (this.gesture.key !== key || now - this.gesture.at > SAME_GESTURE_MS) {
      this.gesture = { key, number: Date.now(), at: now };
    }
    this.gesture.at = now;
    this.sentAt = now;
    window.__coopLeverSent = now;
    const move = { key, value, gesture: `${key}:${this.gesture.number}` };
    this.send("move", move);
    this.answered();
    if (!live) this.watch(move, 1);
  }

  answered() {
    clearTimeout(this.unanswered?.timer);
    this.unanswered = null;
  }

  watch(move, tries) {
    const timer = setTimeout(() => {
      if (busy() && this.root.isConnected) return this.watch(move, tries);
      this.unanswered = null;
      if (tries >= MOST_TRIES || !this.root.isConnected) return;
      this.send("move", move);
      this.watch(move, tries + 1);
    }, LOST_AFTER_MS);
    this.unanswered = { ...move, timer };
  }

  build(data) {
    const open = this.root.querySelector("details")?.open ?? false;
    this.items.clear();
    this.root.replaceChildren();
    const nodes = data.levers.map((lever) => (lever.kind === "range" ? this.range(lever, data) : this.choice(lever, data)));
    const more = make("details", { class: "more" }, make("summary", {}, data.texts.more));
    more.open = open;
    let weighted = false;
    nodes.forEach((node, n) => {
      if (n < data.first) { this.root.append(node); return; }
      if (data.levers[n].weight && !weighted) { more.append(make("p", { class: "group" }, data.texts.weights)); weighted = true; }
      more.append(node);
    });
    this.root.append(more);
  }

  head(lever, id, data) {
    const output = make("output", { for: id, class: "value" });
    const reset = make("button", { type: "button", class: "reset", title: data.texts.reference }, `${data.texts.usual} ${lever.usual_text}`);
    const info = make("button", { type: "button", class: "info", "aria-label": `${lever.label} : ${lever.help}`, "aria-expanded": "false" }, "i");
    const help = make("p", { class: "help", id: `${id}-help` }, lever.help);
    help.hidden = true;
    info.onclick = () => { help.hidden = !help.hidden; info.setAttribute("aria-expanded", String(!help.hidden)); };
    return { output, reset, info, help };
  }

  range(lever, data) {
    const id = `lever-${lever.key}`;
    const format = formatter(data.locale, lever);
    const { output, reset, info, help } = this.head(lever, id, data);
    const input = make("input", { type: "range", id, min: String(lever.min), max: String(lever.max), step: String(lever.step), "aria-describedby": `${id}-stop` });
    const stop = make("p", { class: "stop", id: `${id}-stop` });
    const history = make("p", { class: "stop history", id: `${id}-history` });
    const scale = make("div", { class: "scale" });
    const band = make("span", { class: "band", title: `${format(lever.low)} – ${format(lever.high)}` });
    band.style.left = `${share(lever, Math.max(lever.low, lever.min))}%`;
    band.style.right = `${100 - share(lever, Math.min(lever.high, lever.max))}%`;
    scale.append(band);
    for (const price of lever.marks ?? []) {
      if (price < lever.min || price > lever.max) continue;
      const mark = make("span", { class: "mark", "aria-hidden": "true" });
      mark.style.left = `${share(lever, price)}%`;
      scale.append(mark);
    }
    for (const [value, name] of lever.stops) {
      const tick = make("button", { type: "button", class: "tick", tabIndex: -1, title: `${format(value)} : ${name}`, "aria-hidden": "true" });
      tick.style.left = `${share(lever, value)}%`;
      tick.onclick = () => { input.value = value; label(value); this.tell(lever.key, value, false); };
      scale.append(tick);
    }
    const label = (value) => {
      const near = lever.stops.find(([v]) => Math.abs(v - value) < lever.step / 2);
      output.textContent = format(value);
      if (lever.marks_text) {
        const below = Math.round((100 * lever.marks.filter((price) => price < value).length) / lever.marks.length);
        history.textContent = lever.marks_text.replace("{below}", below);
      }
      stop.textContent = near ? near[1] : "";
      input.setAttribute("aria-valuetext", near ? `${format(value)}, ${near[1]}` : format(value));
      input.style.setProperty("--fill", `${share(lever, value)}%`);
      reset.hidden = Math.abs(value - lever.usual) < lever.step / 100;
    };
    input.onpointerdown = () => { this.held = lever.key; this.gesture.key = ""; };
    input.onpointerup = input.onpointercancel = () => { this.held = ""; };
    input.oninput = () => { label(Number(input.value)); if (this.held) this.tell(lever.key, Number(input.value), true); };
    input.onchange = () => { this.tell(lever.key, Number(input.value), false); };
    input.onkeydown = handOnLetters;
    reset.onclick = () => { input.value = lever.usual; label(lever.usual); this.tell(lever.key, lever.usual, false); };
    this.items.set(lever.key, { show: (value, held) => { if (!held && !(this.waiting && this.waiting.key === lever.key)) { input.value = value; label(Number(value)); } } });
    return make("div", { class: "lever" },
      make("div", { class: "head" }, make("label", { for: id }, lever.label), info, output),
      input, scale, make("div", { class: "foot" }, stop, reset), ...(lever.marks_text ? [history] : []), help);
  }

  choice(lever, data) {
    const id = `lever-${lever.key}`;
    const { output, reset, info, help } = this.head(lever, id, data);
    const inputs = lever.options.map(([value]) => make("input", { type: "radio", name: id, value, id: `${id}-${value}` }));
    const group = make("div", { class: "options", role: "radiogroup", "aria-label": lever.label });
    const told = make("p", { class: "stop" });
    const show = (value, _held, note) => {
      if (note !== undefined) told.textContent = note;
      inputs.forEach((input) => { input.checked = input.value === String(value); });
      reset.hidden = String(value) === String(lever.usual);
    };
    inputs.forEach((input, n) => {
      input.onchange = () => { show(input.value); this.tell(lever.key, input.value, false); };
      group.append(make("span", {}, input, make("label", { for: input.id }, lever.options[n][1])));
    });
    reset.onclick = () => { show(lever.usual); this.tell(lever.key, lever.usual, false); };
    output.hidden = true;
    this.items.set(lever.key, { show });
    return make("div", { class: "lever" },
      make("div", { class: "head" }, make("span", { class: "name" }, lever.label), info),
      group, make("div", { class: "foot" }, told, reset), help);
  }
}

const drawn = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let levers = drawn.get(parentElement);
  if (!levers) {
    const root = make("div", { class: "levers" });
    parentElement.appendChild(root);
    levers = new Levers(root);
    drawn.set(parentElement, levers);
  }
  levers.update(data, setTriggerValue);
}
