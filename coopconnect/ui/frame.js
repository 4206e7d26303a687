// The page around the page: its language, projector mode, the address to copy, the scenario to resume.
const LAST = "coopconnect.last";

const remember = (data) => {
  if (!data.remember) return;
  try {
    localStorage.setItem(LAST, JSON.stringify({ query: data.query, line: data.remember }));
  } catch (error) { /* private browsing: nothing to resume, nothing lost */ }
};

const link = (data) => {
  const url = new URL(window.location.href);
  url.search = data.link || data.query;
  url.hash = "";
  return url.href;
};

// navigator.clipboard only exists on https and localhost; a hall's local network has neither.
const copy = async (text) => {
  if (navigator.clipboard && window.isSecureContext) {
    try { await navigator.clipboard.writeText(text); return true; } catch (error) { /* try the old way */ }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.appendChild(area);
  area.select();
  let done = false;
  try { done = document.execCommand("copy"); } catch (error) { done = false; }
  area.remove();
  return done;
};

// Notes and photos are in no address: the browser asks before it forgets what no file holds yet.
const guardDossier = (data) => {
  const kept = (window.__coopconnectDossier ??= { now: "", saved: "", watched: false });
  kept.now = data.dossier || "";
  if (kept.watched) return;
  kept.watched = true;
  window.addEventListener("beforeunload", (event) => {
    if (kept.now && kept.now !== kept.saved) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".st-key-save button, .st-key-take_scenario button, .st-key-take_kit button")) kept.saved = kept.now;
  }, true);
};

// When a link to another page was pressed last: what speaks to the app then waits (sight.js).
const watchLinks = () => {
  if (window.__coopconnectLinks) return;
  window.__coopconnectLinks = { at: -Infinity, path: "" };
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-testid=stPageLink-NavLink]")) return;
    window.__coopconnectLinks = { at: performance.now(), path: window.location.pathname };
  }, true);
};

// A phone shows its keys for numbers where kilometres are written.
const numberKeys = () => {
  if (window.__coopconnectKeys) return;
  window.__coopconnectKeys = true;
  for (const kind of ["pointerdown", "focusin"]) {
    document.addEventListener(kind, (event) => {
      const field = event.target.closest?.(".st-key-phone_km input, .st-key-survey_typed_km input");
      if (field) field.inputMode = "decimal";
    }, true);
  }
};

// Chromium drops the comma of "25,5" in a field for numbers and reads 255, in French too: it is written as a point.
const decimalCommas = () => {
  if (window.__coopconnectCommas) return;
  window.__coopconnectCommas = true;
  const written = (event, text) => {
    if (event.target.type !== "number" || !/^[^,]*,[^,]*$/.test(text ?? "")) return;
    event.preventDefault();
    document.execCommand("insertText", false, text.trim().replace(",", "."));
  };
  document.addEventListener("beforeinput", (event) => {
    if (event.inputType === "insertText") written(event, event.data);
  }, true);
  document.addEventListener("paste", (event) => written(event, event.clipboardData?.getData("text")), true);
};

// Labels that Streamlit has in English only: written in the language of the page wherever they come up, and given back
// when it is English. What was there is kept beside, and only a text that is whole one of these labels is touched.
const OWN = ["aria-label", "title", "placeholder"];
const own = (window.__coopconnectOwn ??= { exact: new Map(), shapes: [], was: new WeakMap(), watched: false });

const ownText = (text) => {
  const bare = text.trim();
  if (!bare || bare.length > 200) return null;
  if (own.exact.has(bare)) return own.exact.get(bare);
  for (const [shape, names, ours] of own.shapes) {
    const found = shape.exec(bare);
    if (found) return names.reduce((told, name, k) => told.replace(`{${name}}`, () => found[k + 1]), ours);
  }
  return null;
};

const ownPart = (node, part, now, write) => {
  const kept = own.was.get(node) ?? {};
  const english = kept[part] && kept[part].ours === now ? kept[part].english : now;
  const ours = ownText(english);
  if (ours === null && english === now) return;
  own.was.set(node, { ...kept, [part]: { english, ours: ours ?? english } });
  if (now !== (ours ?? english)) write(ours ?? english);
};

const ownNode = (node) => {
  if (node.nodeType === Node.TEXT_NODE) {
    if (!node.parentElement?.closest("style, script, textarea")) {
      ownPart(node, "text", node.nodeValue, (text) => { node.nodeValue = text; });
    }
  } else if (node.nodeType === Node.ELEMENT_NODE) {
    for (const name of OWN) {
      if (node.hasAttribute(name)) ownPart(node, name, node.getAttribute(name), (text) => node.setAttribute(name, text));
    }
  }
};

const ownTree = (root) => {
  ownNode(root);
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  while (walker.nextNode()) ownNode(walker.currentNode);
};

const ownLabels = (labels) => {
  const said = JSON.stringify(labels);
  if (own.said === said) return;
  own.said = said;
  own.exact = new Map(labels.filter(([english]) => !english.includes("{")));
  own.shapes = labels.filter(([english]) => english.includes("{")).map(([english, ours]) => {
    const names = [...english.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
    const plain = english.split(/\{\w+\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return [new RegExp(`^${plain.join("(.+?)")}$`), names, ours];
  });
  ownTree(document.body);
  if (own.watched) return;
  own.watched = true;
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(ownTree);
      else ownNode(change.target);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: OWN });
};

const drawCopy = (parent, data) => {
  let button = parent.querySelector("button");
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    parent.appendChild(button);
  }
  button.hidden = !data.copy;
  button.textContent = data.copy || "";
  button.title = data.copy_help || "";
  button.onclick = async () => {
    const done = await copy(link(data));
    button.textContent = done ? data.copied : data.not_copied;
    if (!done) window.prompt(data.not_copied, link(data));
    setTimeout(() => { button.textContent = data.copy; }, 1600);
  };
};

const drawResume = (parent, data, setTriggerValue) => {
  let box = parent.querySelector(".resume");
  if (!box) {
    box = document.createElement("button");
    box.type = "button";
    box.className = "resume";
    parent.appendChild(box);
  }
  let last = null;
  try { last = JSON.parse(localStorage.getItem(LAST) || "null"); } catch (error) { last = null; }
  box.hidden = false;
  box.disabled = !(last && typeof last.query === "string");
  box.textContent = "";
  const title = document.createElement("strong");
  title.textContent = box.disabled ? data.resume_none : data.resume;
  const line = document.createElement("span");
  line.textContent = box.disabled ? data.resume_none_why : String(last.line);
  box.append(title, line);
  box.onclick = () => setTriggerValue("resume", last.query);
};

export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  const root = document.documentElement;
  watchLinks();
  numberKeys();
  decimalCommas();
  if (data.labels) ownLabels(data.labels);
  if (data.lang) {
    root.lang = data.lang;
    root.classList.toggle("coop-projector", Boolean(data.projector));
  }
  // The hall's screen decides how tall the map is: told once, when it differs from what the page was drawn for.
  if (data.projector && Math.abs(window.innerHeight - data.height) > 40 && window.innerHeight > 200) {
    setStateValue("height", Math.round(window.innerHeight));
  }
  remember(data);
  if ("dossier" in data) guardDossier(data);
  if (data.resume) drawResume(parentElement, data, setTriggerValue);
  else drawCopy(parentElement, data);
}
