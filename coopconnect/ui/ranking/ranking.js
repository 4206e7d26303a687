// The ranking: a list one can read from the back of a hall and walk with the keyboard alone.
// Focus stays on the list; the row in hand is told to assistive technology by aria-activedescendant.
const FIND_MS = 800; // letters typed within this time belong to one search
const NARROW_EM = 47; // below this width, in letters of the list, each row takes three lines

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

class Ranking {
  constructor(key) {
    this.key = key;
    this.prefix = `cc-rank-${key.replace(/[^a-z0-9]/gi, "-")}`;
    this.active = -1;
    this.nodes = [];
    this.frame = element("div", "cc-ranking");
    this.head = element("div", "cc-row cc-head");
    this.list = element("div", "cc-list");
    this.list.tabIndex = 0;
    this.list.setAttribute("role", "listbox");
    this.head.setAttribute("aria-hidden", "true");
    this.keys = element("p", "cc-keys");
    this.keys.id = `${this.prefix}-keys`;
    this.list.setAttribute("aria-describedby", this.keys.id);
    this.frame.append(this.head, this.list, this.keys);
    this.list.addEventListener("keydown", (event) => this.onKey(event));
    this.list.addEventListener("focus", () => this.activate(this.active >= 0 ? this.active : Math.max(0, this.row(this.selected))));
    new ResizeObserver(() => this.fitWidth()).observe(this.frame);
  }

  update({ data, parentElement, setTriggerValue }) {
    this.send = setTriggerValue;
    this.data = data;
    this.format = new Intl.NumberFormat(data.texts.locale ?? "fr-FR", { maximumFractionDigits: 0 });
    this.ratio = new Intl.NumberFormat(data.texts.locale ?? "fr-FR", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    if (this.frame.parentNode !== parentElement) parentElement.append(this.frame);
    this.frame.lang = (data.texts.locale ?? "fr").slice(0, 2);
    this.frame.classList.toggle("projector", data.projector);
    this.frame.style.setProperty("--cc-height", `${data.height}px`);
    this.list.setAttribute("aria-label", data.texts.label);
    this.keys.textContent = data.texts.keys;
    this.fitWidth();
    this.writeHead();
    this.writeRows();
    const moved = data.selected !== this.selected;
    this.mark(data.selected);
    if (moved) this.reveal(this.row(data.selected));
    this.frame.dataset.ready = "1";
  }

  fitWidth() {
    const em = parseFloat(getComputedStyle(this.frame).fontSize) || 16;
    this.frame.classList.toggle("narrow", this.frame.clientWidth < NARROW_EM * em);
  }

  writeHead() {
    const { texts } = this.data;
    const titles = ["rank", "name", "score", "users", "hours", "viability"];
    this.head.replaceChildren(...titles.map((title) => element("span", `cc-${title}`, texts[title])));
  }

  writeRows() {
    const { rows } = this.data;
    while (this.nodes.length < rows.length) {
      const node = this.newRow(this.nodes.length);
      this.nodes.push(node);
      this.list.append(node.row);
    }
    for (const node of this.nodes.splice(rows.length)) node.row.remove();
    rows.forEach((row, k) => this.fill(this.nodes[k], row));
    if (this.active >= rows.length) this.active = rows.length - 1;
  }

  newRow(k) {
    const node = { row: element("div", "cc-row") };
    node.row.id = `${this.prefix}-${k}`;
    node.row.setAttribute("role", "option");
    for (const part of ["rank", "name", "ribbon", "score", "users", "hours", "viability", "flag"]) {
      node[part] = element("span", `cc-${part}`);
      node.row.append(node[part]);
    }
    node.title = element("b");
    node.place = element("small");
    node.name.append(node.title, node.place);
    node.bar = element("i", "cc-bar");
    node.range = element("i", "cc-span");
    node.ribbon.append(node.bar, node.range);
    node.row.addEventListener("click", () => this.choose(k));
    return node;
  }

  fill(node, row) {
    const { texts } = this.data;
    const whole = (value) => (value === null ? "–" : this.format.format(value).replace("-", "−"));
    node.rank.textContent = row.tied ? `= ${row.rank}` : String(row.rank);
    node.rank.title = row.tied ? texts.tied : "";
    node.title.textContent = row.name;
    node.place.textContent = row.place;
    node.bar.style.width = `${Math.max(0, Math.min(100, row.score))}%`;
    node.bar.style.background = row.flag ? "" : row.colour;
    node.bar.classList.toggle("flag", row.flag);
    const ranged = row.low !== null && row.high !== null;
    node.range.hidden = !ranged;
    node.range.style.left = `${row.low ?? 0}%`;
    node.range.style.width = `${Math.max(0.6, (row.high ?? 0) - (row.low ?? 0))}%`;
    node.score.replaceChildren(element("b", "", whole(row.score)));
    if (ranged) node.score.append(element("small", "", `${whole(row.low)} – ${whole(row.high)}`));
    this.figure(node.users, whole(row.users), texts.users);
    this.figure(node.hours, whole(row.hours), texts.hours);
    this.figure(node.viability, row.viability === null ? "–" : this.ratio.format(row.viability), texts.viability);
    node.flag.replaceChildren(...(row.flag ? [element("em", "", "▲"), element("span", "", row.reason || texts.flag)] : []));
    node.flag.hidden = !row.flag;
    node.row.setAttribute("aria-label", this.sentence(row, whole));
    node.row.dataset.code = row.code;
  }

  // The unit stands beside the figure where the head row is not shown.
  figure(cell, value, label) {
    cell.replaceChildren(element("span", "cc-value", value), element("small", "", label));
  }

  sentence(row, whole) {
    const { texts } = this.data;
    const parts = [
      `${row.tied ? `${texts.tied} ` : ""}${row.rank}, ${row.name}, ${row.place}`,
      `${texts.score} ${whole(row.score)}${row.low === null ? "" : ` (${whole(row.low)} – ${whole(row.high)})`}`,
      `${texts.users} ${whole(row.users)}`,
      `${texts.hours} ${whole(row.hours)}`,
    ];
    if (row.viability !== null) parts.push(`${texts.viability} ${this.ratio.format(row.viability)}`);
    if (row.flag) parts.push(row.reason || texts.flag);
    return parts.join(", ");
  }

  row(code) {
    return code ? this.data.rows.findIndex((row) => row.code === code) : -1;
  }

  mark(code) {
    this.selected = code;
    this.nodes.forEach((node) => node.row.setAttribute("aria-selected", String(node.row.dataset.code === code)));
    this.frame.dataset.selected = code ?? "";
  }

  // Scrolls the list only, never the page.
  reveal(k) {
    const node = this.nodes[k];
    if (!node) return;
    this.active = k;
    const top = node.row.offsetTop, bottom = top + node.row.offsetHeight;
    const { scrollTop, clientHeight } = this.list;
    if (top < scrollTop) this.list.scrollTop = top - 8;
    else if (bottom > scrollTop + clientHeight) this.list.scrollTop = bottom - clientHeight + 8;
  }

  activate(k) {
    const { length } = this.nodes;
    if (!length) return;
    this.nodes[this.active]?.row.classList.remove("active");
    this.active = Math.max(0, Math.min(length - 1, k));
    this.nodes[this.active].row.classList.add("active");
    this.list.setAttribute("aria-activedescendant", this.nodes[this.active].row.id);
    this.reveal(this.active);
  }

  choose(k) {
    const { code } = this.data.rows[k];
    this.activate(k);
    const chosen = code === this.selected ? "" : code;
    this.mark(chosen || null);
    this.send("select", chosen);
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.list.clientHeight / (this.nodes[0]?.row.offsetHeight || 40)) - 1);
    const acts = {
      ArrowDown: () => this.activate(this.active + 1),
      ArrowUp: () => this.activate(this.active - 1),
      PageDown: () => this.activate(this.active + page),
      PageUp: () => this.activate(this.active - page),
      Home: () => this.activate(0),
      End: () => this.activate(this.nodes.length - 1),
      Enter: () => this.active >= 0 && this.choose(this.active),
      Escape: () => this.selected && this.choose(this.row(this.selected)),
    };
    if (event.key === " " && !this.typed) acts[" "] = acts.Enter;
    const act = acts[event.key] ?? (event.key.length === 1 ? () => this.find(event.key) : undefined);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  // The start of a name first, then the start of any of its words.
  find(letter) {
    clearTimeout(this.finding);
    this.typed = (this.typed ?? "") + plain(letter);
    this.finding = setTimeout(() => (this.typed = ""), FIND_MS);
    const names = this.data.rows.map((row) => plain(row.name));
    let at = names.findIndex((name) => name.startsWith(this.typed));
    if (at < 0) at = names.findIndex((name) => name.split(/[\s'’-]+/).some((word) => word.startsWith(this.typed)));
    if (at >= 0) this.activate(at);
  }
}

export function mount(component, shared) {
  const { data, parentElement } = component;
  if (!parentElement.querySelector("style.cc-style")) {
    const style = document.createElement("style");
    style.className = "cc-style";
    style.textContent = STYLE;
    parentElement.append(style);
  }
  shared.rankings ??= new Map();
  const ranking = shared.rankings.get(data.key) ?? new Ranking(data.key);
  shared.rankings.set(data.key, ranking);
  clearTimeout(ranking.parked);
  ranking.update(component);
  return () => {
    ranking.parked = setTimeout(() => shared.rankings.delete(data.key), 15000);
  };
}
