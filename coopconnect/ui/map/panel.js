// What is HTML around the picture: legend, buttons, hover card, scale bar. Text goes in as text, never as HTML.
function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function button(text, label, onClick) {
  const node = element("button", "cc-button", text);
  node.type = "button";
  node.addEventListener("click", onClick);
  rename(node, label);
  return node;
}

function rename(node, label) {
  node.setAttribute("aria-label", label);
  node.title = label;
}

// The fixed parts, made once; `act` holds what buttons do.
function buildFrame(act) {
  const frame = element("div", "cc-map");
  const stage = element("div", "cc-stage");
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");
  const parts = {
    frame,
    stage,
    picture: element("div", "cc-picture"),
    flat: element("canvas", "cc-canvas"),
    lines: element("canvas", "cc-canvas cc-lines"),
    marks: element("canvas", "cc-canvas"),
    cross: element("div", "cc-cross"),
    card: element("div", "cc-card"),
    tools: element("div", "cc-zoom"),
    zoomTo: element("select", "cc-select"),
    plus: button("+", "", act.zoomIn),
    minus: button("−", "", act.zoomOut),
    home: button("⤢", "", act.reset),
    scale: element("div", "cc-scale"),
    scaleText: element("span", "cc-scale-text"),
    legend: element("div", "cc-legend"),
    said: element("div", "cc-said"),
    wait: element("div", "cc-wait"),
  };
  parts.flat.setAttribute("aria-hidden", "true");
  parts.lines.setAttribute("aria-hidden", "true");
  parts.marks.setAttribute("aria-hidden", "true");
  parts.scale.setAttribute("aria-hidden", "true");
  parts.said.setAttribute("role", "status");
  parts.card.hidden = true;
  parts.zoomTo.addEventListener("change", () => act.zoomTo(parts.zoomTo.value));
  parts.scale.append(parts.scaleText, element("span", "cc-scale-bar"), element("span", "cc-north", "N ↑"));
  parts.tools.append(parts.plus, parts.minus, parts.home);
  stage.append(parts.picture, parts.flat, parts.lines, parts.marks, parts.cross, parts.card, parts.wait);
  const view = element("div", "cc-view");
  view.append(stage, parts.zoomTo, parts.tools, parts.scale);
  frame.append(view, parts.legend, parts.said);
  return parts;
}

function writeWords(parts, spec) {
  const texts = spec.texts;
  parts.frame.lang = (texts.locale ?? "fr").slice(0, 2);
  parts.stage.setAttribute("aria-label", `${texts.label ?? ""}. ${texts.keys ?? ""}`);
  rename(parts.plus, texts.zoom_in ?? "+");
  rename(parts.minus, texts.zoom_out ?? "−");
  rename(parts.home, texts.reset ?? "0");
  rename(parts.zoomTo, texts.zoom_to ?? "");
  parts.wait.textContent = texts.loading ?? "";
}

function writeZoomChoices(parts, geometry, texts) {
  const { departements, departement_names: names } = geometry.header;
  const codes = [...new Set(departements)].sort();
  parts.zoomTo.hidden = codes.length < 2;
  const chosen = parts.zoomTo.value;
  const everything = element("option", "", texts.everything ?? "");
  everything.value = "";
  parts.zoomTo.replaceChildren(everything);
  for (const code of codes) {
    const option = element("option", "", names[code] ? `${code} ${names[code]}` : code);
    option.value = code;
    parts.zoomTo.append(option);
  }
  parts.zoomTo.value = chosen;
}

function writeLegend(parts, spec, hasSites, hasArcs, numbered) {
  const { legend, texts } = spec;
  const title = element("div", "cc-legend-title");
  title.append(element("strong", "", legend.title), element("span", "", legend.unit));
  const list = element("ul", "cc-legend-list");
  list.append(element("li", "cc-break")); // between the ramp and the rest, where the legend lies under the map
  legend.entries.forEach(([label, colour, kind], k) => {
    const line = element("li", kind);
    line.style.setProperty("--cc-order", kind === "class" ? -1 - k : 1 + k);
    const swatch = element("span", `cc-swatch ${kind}`);
    swatch.style.setProperty("--cc-fill", colour);
    swatch.style.setProperty("--cc-ink", spec.flag[1]);
    line.append(swatch, element("span", "", label));
    list.append(line);
  });
  const extra = element("div", "cc-legend-extra");
  if (hasSites) extra.append(discKey(spec, numbered));
  if (hasArcs) {
    const line = element("div", "cc-arc-key");
    line.append(element("span", "cc-arc"), element("span", "", texts.arcs ?? ""));
    extra.append(line);
  }
  if (legend.note) extra.append(element("p", "cc-note", legend.note));
  parts.legend.replaceChildren(title, list, extra);
}

// The sizes that discs have on the map. A numbered one is never smaller than its number, and none is larger than the most:
// the key says up to how many users, and from how many, the size no longer tells.
function discKey(spec, numbered) {
  const big = spec.projector;
  const line = element("div", "cc-disc-key");
  const discs = element("span", "cc-discs");
  const [least, most] = [usersOf(numberedRadius(big), big), usersOf(MOST_RADIUS_PX, big)];
  const shown = numbered ? [[least, `≤ ${least}`], [100, "100"], [most, `≥ ${most}`]] : [10, 40, 100].map((n) => [n, String(n)]);
  for (const [users, text] of shown) {
    const disc = element("span", "cc-disc");
    const side = 2 * discRadius(users, big);
    disc.style.width = disc.style.height = `${side}px`;
    const pair = element("span", "cc-disc-pair");
    pair.append(disc, element("span", "", text));
    discs.append(pair);
  }
  line.append(discs, element("span", "", spec.texts.site ?? ""));
  return line;
}

// Hover card: name, then one line per number with its range, then the note of the zone if it has one.
function fillCard(card, map, zone) {
  const { header } = map.geometry;
  const { texts } = map.spec;
  const head = element("div", "cc-card-head");
  head.append(element("strong", "", header.names[zone]), element("span", "", header.departements[zone]));
  const table = element("dl", "");
  const none = map.zoneClass[zone] === 255;
  if (none) table.append(element("dt", "cc-none", texts.no_value ?? ""));
  for (const row of none ? [] : map.hover) {
    table.append(element("dt", "", row.label));
    table.append(valueCell(row, zone, texts));
  }
  card.replaceChildren(head, table);
  const note = map.spec.notes[zone];
  if (note) card.append(element("p", "cc-card-note", note));
}

function valueCell(row, zone, texts) {
  const format = new Intl.NumberFormat(texts.locale ?? "fr-FR", {
    minimumFractionDigits: row.decimals,
    maximumFractionDigits: row.decimals,
  });
  const cell = element("dd", "");
  const value = row.values[zone];
  if (Number.isNaN(value)) {
    cell.textContent = "–";
    return cell;
  }
  cell.append(element("b", "", format.format(value)), element("span", "cc-unit", row.unit));
  if (row.low && !Number.isNaN(row.low[zone]) && !Number.isNaN(row.high[zone])) {
    cell.append(element("span", "cc-range", `${format.format(row.low[zone])} – ${format.format(row.high[zone])}`));
  }
  return cell;
}

function placeCard(card, x, y, width, height) {
  const gap = 16;
  const left = x + gap + card.offsetWidth > width ? Math.max(4, x - gap - card.offsetWidth) : x + gap;
  const top = Math.max(4, Math.min(y - card.offsetHeight / 2, height - card.offsetHeight - 4));
  card.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

function writeScale(parts, view, locale) {
  const EARTH_M = 40075016.686;
  const metresPerPx = (EARTH_M * Math.cos((view.latitude * Math.PI) / 180)) / (WORLD_PX * 2 ** view.zoom);
  const most = metresPerPx * 110;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((k) => k * power).find((value) => value <= most) ?? power;
  parts.scale.style.setProperty("--cc-scale", `${Math.round(metres / metresPerPx)}px`);
  const km = metres >= 1000;
  const number = new Intl.NumberFormat(locale ?? "fr-FR").format(km ? metres / 1000 : metres);
  parts.scaleText.textContent = `${number} ${km ? "km" : "m"}`;
}
