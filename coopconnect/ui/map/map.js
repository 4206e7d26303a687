// The map of one place on the page. Streamlit calls `mount` again on every run; the picture stays, and only what
// changed is drawn again.
const PARK_MS = 15000; // how long a map that left the page is kept, ready to come back
const EARLY_MS = 60000; // how long a map started early waits for its data
const EARLY_AFTER_MS = 4000; // data that take longer leave time to start deck.gl before them
const FLAT_MS = 500; // how long the flat picture stays under deck.gl's first: its shaders compile in the background
const ZOOM_MAX = 13;
const MOVE_MS = 350;

class ZoneMap {
  constructor(shared, key) {
    this.shared = shared;
    this.key = key;
    this.hovered = -1;
    this.selected = -1;
    this.sites = [];
    this.arcs = [];
    this.hover = [];
    this.fillVersion = 0;
    this.parts = buildFrame({
      zoomIn: () => this.zoomBy(1),
      zoomOut: () => this.zoomBy(-1),
      reset: () => this.fit(() => true, true),
      zoomTo: (code) => this.fitDepartement(code),
    });
    this.listen();
  }

  // One run of the app.
  async update(component, absolute) {
    const { data, parentElement, setTriggerValue, setStateValue } = component;
    this.send = setTriggerValue;
    this.report = setStateValue;
    this.spec = data.spec;
    const { frame } = this.parts;
    if (frame.parentNode !== parentElement) parentElement.append(frame);
    this.holder?.remove();
    this.holder = undefined;
    frame.classList.toggle("projector", this.spec.projector);
    frame.style.setProperty("--cc-height", `${this.spec.height}px`);
    this.fitFrame();
    writeWords(this.parts, this.spec);
    this.watchSize();
    const ticket = (this.ticket = (this.ticket ?? 0) + 1);
    const geometry = await loadGeometry(this.shared, data, absolute);
    if (ticket !== this.ticket) return;
    if (this.geometry !== geometry) this.take(geometry);
    this.show();
    if (!this.deck) this.rise(data, absolute);
  }

  // deck.gl, fetched and run once the first picture stands on the flat canvas.
  rise(data, absolute) {
    this.rising ??= (async () => {
      await afterPicture();
      const { shared } = this;
      if (!canDraw(shared)) return this.report("status", { webgl: false, reason: shared.webgl });
      try {
        const library = await loadLibrary(shared, data, absolute);
        if (this.deck || !this.parts.frame.isConnected) return undefined;
        this.start(library);
        this.colourKey = undefined;
        return this.show();
      } catch (error) {
        return this.report("status", data.deck.url ? { inline: true, asked: Date.now() } : { failed: String(error?.message ?? error) });
      }
    })().finally(() => (this.rising = undefined));
  }

  take(geometry) {
    const { header } = geometry;
    this.geometry = geometry;
    this.marks = new Marks(this.parts.marks, geometry);
    this.zoneData = {
      length: header.rings,
      startIndices: geometry.ringStart,
      attributes: { getPolygon: { value: geometry.degrees, size: 2 } },
    };
    // The classes of other contours have nothing to say about these: nothing is filled or hatched until new ones come.
    this.zoneClass = this.hatchKey = this.colourKey = this.linesView = this.viewKey = this.view = undefined;
    this.fitted = false;
    this.focusKey = "";
    if (this.spec) writeZoomChoices(this.parts, geometry, this.spec.texts);
    this.fit(() => true, false);
  }

  start(library) {
    const { picture, stage } = this.parts;
    this.library = library;
    this.deck = makeDeck(library, picture, {
      viewState: this.view,
      controller: { dragRotate: false, touchRotate: false, keyboard: false, doubleClickZoom: false, scrollZoom: { speed: 0.012 } },
      touchAction: matchMedia("(pointer: coarse)").matches ? "pan-y" : "none",
      useDevicePixels: Math.min(window.devicePixelRatio || 1, 2),
      getCursor: ({ isDragging }) => (isDragging ? "grabbing" : this.hovered >= 0 ? "pointer" : "grab"),
      onViewStateChange: ({ viewState }) => this.look(viewState),
      onAfterRender: () => this.afterRender(),
      onLoad: () => picture.querySelector("canvas").addEventListener("webglcontextlost", () => this.lost()),
    });
    stage.dataset.ready = "1";
    this.watchSize();
  }

  watchSize() {
    if (this.resizing) return;
    this.resizing = new ResizeObserver(() => this.resized());
    this.resizing.observe(this.parts.stage);
  }

  // Before the first data: deck.gl starts on a stage out of sight, with the contours where they are known, so that
  // shaders are compiled and polygons cut while the server works. `update` then moves the stage to its place.
  startEarly(library, geometry, holder) {
    holder.append(this.parts.frame);
    this.view = { longitude: 2.5, latitude: 46.5, zoom: 5, pitch: 0, bearing: 0 };
    this.start(library);
    if (!geometry) return this.deck.setProps({ layers: seedLayers(library) });
    this.take(geometry);
    this.zoneClass = new Uint8Array(geometry.header.zones).fill(255);
    this.table = new Uint8Array(256 * 3).fill(255);
    return this.paint();
  }

  // A lost graphics context is rebuilt once; if it is lost again, the app is told.
  lost() {
    if (this.rebuilt) return this.report("status", { webgl: false, reason: "context lost" });
    this.rebuilt = true;
    this.stop();
    this.parts.picture.replaceChildren();
    setTimeout(() => {
      this.start(this.library);
      this.colourKey = undefined;
      this.show();
    }, 300);
    return undefined;
  }

  // Only what this run changed: colours through deck.gl, the rest on the flat canvases.
  show() {
    const { spec } = this;
    const started = performance.now();
    const colourKey = [spec.picture, spec.projector, ...spec.colours].join();
    const recoloured = this.colourKey !== colourKey;
    if (recoloured) {
      this.zoneClass = bytesOf(spec.classes);
      this.table = colourTable(spec);
      this.colourKey = colourKey;
      this.fillVersion++;
    }
    this.hover = spec.hover.map((row) => ({
      label: row.label,
      unit: row.unit,
      decimals: row.values.decimals,
      values: numbersOf(row.values),
      low: row.low && numbersOf(row.low),
      high: row.high && numbersOf(row.high),
    }));
    this.sites = this.readSites(spec.sites);
    this.arcs = this.readArcs(spec);
    this.writePanel();
    this.followFocus();
    if (spec.selected !== this.selected) this.select(spec.selected, false);
    if (!this.parts.card.hidden && this.hovered >= 0) fillCard(this.parts.card, this, this.hovered);
    this.parts.wait.hidden = true;
    this.pending = { picture: spec.picture, started };
    if (recoloured) this.paint();
    else this.afterRender(true);
    if (this.deck && !this.warm) this.warmUp();
  }

  writePanel() {
    const { spec } = this;
    const words = JSON.stringify([spec.legend, spec.texts, spec.projector, !this.sites.length, !this.arcs.length]);
    if (words === this.words) return;
    this.words = words;
    writeLegend(this.parts, spec, this.sites.length > 0, this.arcs.length > 0, this.sites.some((site) => site.label));
    writeZoomChoices(this.parts, this.geometry, spec.texts);
    this.linesView = undefined;
    if (this.untouched && !this.fitted) this.fit(() => true, false);
    this.fitted = true;
  }

  // The part of the territory that the filters keep: the view goes there when they change, and nowhere when a lever moves.
  followFocus() {
    const key = this.spec.focus.join();
    if (key === this.focusKey) return;
    const drawn = this.parts.stage.dataset.picture !== undefined;
    this.focusKey = key;
    if (!key) return this.fit(() => true, drawn);
    const inside = new Set(this.spec.focus);
    return this.fit((zone) => inside.has(zone), drawn);
  }

  readSites(packed) {
    if (!packed) return [];
    const { points } = this.geometry;
    const users = numbersOf(packed.users);
    const labels = packed.labels || [];
    return Array.from(numbersOf(packed.zone), (zone, k) => ({ x: points[2 * zone], y: points[2 * zone + 1], users: users[k], zone, label: labels[k] || "" }))
      .filter((site) => site.users > 0 && !Number.isNaN(site.x))
      .sort((a, b) => b.users - a.users);
  }

  readArcs({ arcs, selected }) {
    if (!arcs || selected < 0) return [];
    const { points } = this.geometry;
    const toX = points[2 * selected], toY = points[2 * selected + 1];
    const lat = numbersOf(arcs.lat), people = numbersOf(arcs.people);
    return Array.from(numbersOf(arcs.lon), (lon, k) => ({ x: mercatorX(lon), y: mercatorY(lat[k]), toX, toY, people: people[k] }))
      .filter((arc) => Math.hypot(arc.x - toX, arc.y - toY) > 1e-6);
  }

  // The first change of colours compiles and uploads what later changes reuse: do it before anyone waits for it.
  warmUp() {
    this.warm = true;
    setTimeout(() => {
      if (!this.deck) return;
      this.fillVersion++;
      this.paint();
    }, 60);
  }

  // Contours for the view from afar, made when they are first wanted.
  farData() {
    if (this.farKept?.geometry !== this.geometry) {
      const { header } = this.geometry;
      const shift = Math.max(0, Math.floor(Math.log2((FAR_PX * header.scale) / (WORLD_PX * 2 ** this.fitZoom))));
      const { startIndices, degrees } = coarseRings(this.geometry, shift);
      const attributes = { getPolygon: { value: degrees, size: 2 } };
      this.farKept = { geometry: this.geometry, data: { length: header.rings, startIndices, attributes } };
    }
    return this.farKept.data;
  }

  // Colours: the only thing deck.gl has to draw again when a lever moves.
  paint() {
    if (!this.zoneClass || !this.view) return;
    this.paintFlat();
    this.makeHatch();
    if (!this.deck) return;
    this.far = this.isFar(this.view);
    this.deck.setProps({ viewState: this.view, layers: zoneLayers(this) });
    this.deck.redraw("changed");
    this.flatEnds ??= setTimeout(() => this.endFlat(), FLAT_MS);
  }

  // The same picture on the flat canvas, as long as deck.gl's does not stand.
  paintFlat() {
    if (this.flatDone || !this.spec || !this.zoneClass) return;
    this.makeHatch(); // a move of the view comes here before the first `paint`
    const { width, height } = this.size();
    drawFills(this.parts.flat, this, width, height);
    if (!this.deck) this.afterRender();
  }

  endFlat() {
    this.flatDone = true;
    this.parts.flat.width = 0;
    this.parts.stage.dataset.by = "deck";
  }

  makeHatch() {
    const flagged = [];
    this.zoneClass.forEach((k, zone) => k === 254 && flagged.push(zone));
    const level = Math.min(Math.round(this.view.zoom), Math.ceil(this.fitZoom) + 2);
    const key = `${this.fillVersion}/${level}`;
    if (key === this.hatchKey) return;
    this.hatchKey = key;
    const { length, sources, targets } = hatchLines(this.geometry, flagged, level);
    this.hatchData = {
      length,
      attributes: { getSourcePosition: { value: sources, size: 2 }, getTargetPosition: { value: targets, size: 2 } },
    };
  }

  // Called after deck.gl has drawn, so that the flat canvases never run ahead of it.
  afterRender(marksChanged = false) {
    if (!this.view || !this.marks || !this.spec) return; // started early: nothing to say yet
    const { width, height } = this.size();
    const key = [this.view.longitude, this.view.latitude, this.view.zoom, width, height].join();
    if (key !== this.viewKey) {
      this.viewKey = key;
      this.followLines(width, height);
      writeScale(this.parts, this.view, this.spec.texts.locale);
      this.marks.draw(this, width, height);
    } else if (marksChanged || this.pending) {
      if (!this.linesView) this.followLines(width, height);
      this.marks.draw(this, width, height);
    }
    if (this.pending) this.tellDrawn();
  }

  // What tests and benchmarks read, told in the frame after the one that was drawn.
  tellDrawn() {
    const { picture, started } = this.pending;
    this.pending = undefined;
    requestAnimationFrame(() => {
      const { stage } = this.parts;
      stage.dataset.drawMs = (performance.now() - started).toFixed(1);
      stage.dataset.picture = picture;
      this.shared.firstPicture ??= Promise.resolve();
      this.shared.pictured?.();
      stage.dataset.selected = this.selected >= 0 ? this.geometry.header.codes[this.selected] : "";
    });
  }

  // Border lines move with the view at once, and are drawn afresh when it has settled.
  followLines(width, height) {
    const { lines } = this.parts;
    clearTimeout(this.settle);
    const settle = () => {
      this.linesView = { ...this.view };
      lines.style.transform = "";
      drawLines(lines, this.geometry, this.view, width, height, this.spec.projector);
    };
    if (!this.linesView) return settle();
    shiftLines(lines, this.linesView, this.view, width, height);
    this.settle = setTimeout(settle, 110);
    return undefined;
  }

  // ---- view ----
  size() {
    const { stage } = this.parts;
    return { width: stage.clientWidth || 600, height: stage.clientHeight || 400 };
  }

  resized() {
    this.fitFrame();
    this.font = getComputedStyle(this.parts.frame).fontFamily || "sans-serif";
    this.linesView = undefined;
    this.viewKey = undefined;
    const { width } = this.size();
    const resized = Math.abs(width / (this.fittedWidth ?? width) - 1) > 0.25;
    if (this.untouched || resized) this.fit(() => true, false);
    else this.paint();
  }

  // Below these widths the legend goes under the map, and the map leaves room to scroll past it.
  fitFrame() {
    const { frame } = this.parts;
    const { clientWidth } = frame;
    frame.classList.toggle("narrow", clientWidth < (this.spec?.projector ? 1100 : 860));
    frame.classList.toggle("phone", clientWidth < 560);
  }

  isFar(view) {
    return this.geometry.header.zones > FAR_ZONES && view.zoom < this.fitZoom + 1;
  }

  // A view cannot leave the territory, nor be turned: north is always up.
  clamp({ longitude, latitude, zoom }) {
    const [west, south, east, north] = this.geometry.header.bounds;
    const aside = (east - west) / 3; // room for the legend beside the territory
    return {
      longitude: Math.min(Math.max(longitude, west - aside), east),
      latitude: Math.min(Math.max(latitude, south), north),
      zoom: Math.min(Math.max(zoom, (this.fitZoom ?? zoom) - 0.6), ZOOM_MAX),
      pitch: 0,
      bearing: 0,
    };
  }

  look(view) {
    if (!this.geometry) return; // started early: nothing to look at yet
    if (Math.abs(view.zoom - this.view.zoom) + Math.abs(view.longitude - this.view.longitude) > 1e-9) this.untouched = false;
    cancelAnimationFrame(this.frame);
    this.setView(view);
  }

  setView(view) {
    const before = this.view;
    this.view = this.clamp(view);
    if (!this.deck) return this.paint();
    if (!this.flatDone) this.paintFlat();
    const same = before && Math.round(before.zoom) === Math.round(this.view.zoom) && this.isFar(this.view) === this.far;
    if (same) this.deck.setProps({ viewState: this.view });
    else this.paint(); // the hatching is made for one zoom level
    return undefined;
  }

  flyTo(target) {
    this.untouched = false;
    cancelAnimationFrame(this.frame);
    const from = this.view, to = this.clamp(target), started = performance.now();
    if (!from || matchMedia("(prefers-reduced-motion: reduce)").matches) return this.setView(to);
    const step = (now) => {
      const t = Math.min(1, Math.max(0, (now - started) / MOVE_MS)), k = 1 - (1 - t) ** 3;
      const mix = (name) => from[name] + (to[name] - from[name]) * k;
      this.setView({ longitude: mix("longitude"), latitude: mix("latitude"), zoom: mix("zoom") });
      if (t < 1) this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
    return undefined;
  }

  fit(wanted, fly) {
    const { width, height } = this.size();
    const [west, north, east, south] = worldBounds(this.geometry, wanted);
    if (!Number.isFinite(west)) return;
    const across = east - west, tall = (height * 0.94) / (south - north);
    const legend = this.legendWidth(width);
    // Centred; moved aside as far as the legend over the left edge asks, made smaller only where that is not enough.
    let size = Math.min((width * 0.94) / across, tall);
    let aside = Math.min(Math.max(0, legend - (width - size * across) / 2), (width - size * across) / 2);
    if (size * across > width - legend - 12) {
      size = Math.min((width - legend - 24) / across, tall);
      aside = legend / 2;
    }
    const target = {
      longitude: lonOf((west + east) / 2 - aside / size),
      latitude: latOf((north + south) / 2),
      zoom: Math.log2(size / WORLD_PX),
    };
    const { zoom } = target;
    const whole = wanted.length === 0; // no condition on the zone: the whole territory
    this.fittedWidth = width;
    if (whole) this.fitZoom = zoom;
    if (fly) this.flyTo(target);
    else this.setView(target);
    this.untouched = whole;
  }

  legendWidth(width) {
    const { frame, legend } = this.parts;
    return frame.classList.contains("narrow") ? 0 : Math.min(legend.offsetWidth + 24, width * 0.4);
  }

  fitDepartement(code) {
    const { departements } = this.geometry.header;
    if (code) this.fit((zone) => departements[zone] === code, true);
    else this.fit(() => true, true);
  }

  zoomBy(levels) {
    this.flyTo({ ...this.view, zoom: this.view.zoom + levels });
  }

  panBy(dx, dy) {
    const scale = WORLD_PX * 2 ** this.view.zoom;
    const x = mercatorX(this.view.longitude) + dx / scale, y = mercatorY(this.view.latitude) + dy / scale;
    this.flyTo({ ...this.view, longitude: lonOf(x), latitude: latOf(y) });
  }

  // ---- pointer, keys, selection ----
  listen() {
    const { stage, card } = this.parts;
    let pressed;
    stage.addEventListener("pointerdown", (event) => (pressed = [event.clientX, event.clientY]));
    stage.addEventListener("pointermove", (event) => this.hoverAt(event));
    stage.addEventListener("pointerleave", () => this.hoverZone(-1));
    stage.addEventListener("click", (event) => {
      if (!this.geometry || (pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 6)) return;
      this.choose(this.zoneUnder(event));
    });
    stage.addEventListener("keydown", (event) => this.key_(event));
    card.hidden = true;
  }

  zoneUnder(event) {
    const box = this.parts.stage.getBoundingClientRect();
    return this.zoneAtPixel(event.clientX - box.left, event.clientY - box.top);
  }

  zoneAtPixel(x, y) {
    const { width, height } = this.size();
    const scale = WORLD_PX * 2 ** this.view.zoom;
    return zoneAt(
      this.geometry,
      mercatorX(this.view.longitude) + (x - width / 2) / scale,
      mercatorY(this.view.latitude) + (y - height / 2) / scale
    );
  }

  hoverAt(event) {
    if (!this.geometry || !this.view || event.pointerType === "touch") return;
    this.hoverZone(event.buttons ? -1 : this.zoneUnder(event));
    if (this.hovered < 0) return;
    const box = this.parts.stage.getBoundingClientRect();
    placeCard(this.parts.card, event.clientX - box.left, event.clientY - box.top, box.width, box.height);
  }

  hoverZone(zone) {
    if (zone === this.hovered) return;
    this.hovered = zone;
    const { card } = this.parts;
    card.hidden = zone < 0;
    if (zone >= 0) fillCard(card, this, zone);
    this.afterRender(true);
  }

  // A choice made on the map: shown at once, then told to the app. Zones without a score can be chosen too.
  choose(zone) {
    if (zone < 0) return;
    this.parts.card.hidden = true; // it would cover the arcs that answer the choice
    this.select(zone === this.selected ? -1 : zone, true);
  }

  select(zone, tell) {
    this.selected = zone;
    const { header } = this.geometry;
    if (!tell && zone >= 0) this.bringIntoView(zone);
    if (!tell) return;
    this.arcs = [];
    this.afterRender(true);
    this.parts.said.textContent = zone >= 0 ? header.names[zone] : "";
    this.parts.stage.dataset.selected = zone >= 0 ? header.codes[zone] : "";
    this.send("select", zone >= 0 ? header.codes[zone] : "");
  }

  bringIntoView(zone) {
    const { points } = this.geometry;
    const { width, height } = this.size();
    const scale = WORLD_PX * 2 ** this.view.zoom;
    const x = (points[2 * zone] - mercatorX(this.view.longitude)) * scale;
    const y = (points[2 * zone + 1] - mercatorY(this.view.latitude)) * scale;
    if (Math.abs(x) > width / 2 - 50 || Math.abs(y) > height / 2 - 50) this.panBy(x, y);
  }

  key_(event) {
    if (!this.geometry || event.ctrlKey || event.metaKey || event.altKey) return;
    const far = 90;
    const acts = {
      ArrowLeft: () => this.panBy(-far, 0),
      ArrowRight: () => this.panBy(far, 0),
      ArrowUp: () => this.panBy(0, -far),
      ArrowDown: () => this.panBy(0, far),
      "+": () => this.zoomBy(0.7),
      "=": () => this.zoomBy(0.7),
      "-": () => this.zoomBy(-0.7),
      0: () => this.fit(() => true, true),
      Enter: () => this.choose(this.zoneAtPixel(this.size().width / 2, this.size().height / 2)),
      Escape: () => this.selected >= 0 && this.select(-1, true),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  stop() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.flatEnds);
    this.flatEnds = this.flatDone = undefined;
    this.resizing?.disconnect();
    this.resizing = undefined;
    this.deck?.finalize();
    this.deck = undefined;
  }
}

function once(shared, name, make) {
  shared.assets ??= new Map();
  if (!shared.assets.has(name)) {
    const promise = make();
    promise.catch(() => shared.assets.delete(name));
    shared.assets.set(name, promise);
  }
  return shared.assets.get(name);
}

// deck.gl and the contours, each fetched once per page and kept between runs.
const loadLibrary = (shared, data, absolute) => once(shared, data.deck.name, () => loadDeck(data.deck, shared, absolute));

const loadGeometry = (shared, data, absolute) =>
  once(shared, data.geometry.name, async () => decodeGeometry(await loadBinary(data.geometry, shared, absolute)));

// The frame after the next: what was drawn is on the screen.
const afterPicture = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));

function canDraw(shared) {
  shared.webgl ??= webglReason();
  return !shared.webgl;
}

async function loadBinary(asset, shared, absolute) {
  if (!asset.url) return bytesOf(shared.content(asset.name)).buffer;
  const response = await fetch(absolute(asset.url));
  if (!response.ok) throw new Error(`${asset.name}: ${response.status}`);
  return response.arrayBuffer();
}

async function loadDeck(asset, shared, absolute) {
  const ready = () => window.deck?.SolidPolygonLayer && window.deck;
  if (ready()) return ready();
  const source = asset.url
    ? absolute(asset.url)
    : URL.createObjectURL(new Blob([shared.content(asset.name)], { type: "text/javascript" }));
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => (ready() ? resolve(ready()) : reject(new Error(asset.name)));
    script.onerror = () => reject(new Error(asset.name));
    document.head.append(script);
  });
}

function webglReason() {
  try {
    const context = document.createElement("canvas").getContext("webgl2");
    if (!context) return "webgl2";
    context.getExtension("WEBGL_lose_context")?.loseContext();
    return "";
  } catch (error) {
    return String(error?.message ?? error);
  }
}

export async function mount(component, shared, absolute) {
  const { data, parentElement, setStateValue } = component;
  if (data.early) return early(data, shared, absolute);
  if (shared.webgl) {
    setStateValue("status", { webgl: false, reason: shared.webgl });
    return undefined;
  }
  addStyle(parentElement);
  const map = mapOf(data.key, shared);
  clearTimeout(map.parked);
  await map.update(component, absolute);
  return () => park(map, shared);
}

function mapOf(key, shared) {
  shared.maps ??= new Map();
  if (!shared.maps.has(key)) shared.maps.set(key, new ZoneMap(shared, key));
  return shared.maps.get(key);
}

function park(map, shared) {
  map.parked = setTimeout(() => {
    map.stop();
    shared.maps.delete(map.key);
  }, PARK_MS);
}

function addStyle(parent) {
  if (parent.querySelector("style.cc-style")) return;
  const style = document.createElement("style");
  style.className = "cc-style";
  style.textContent = STYLE;
  parent.append(style);
}

// Sent before the assessment: fetch the contours and deck.gl for the map that will come. Where its data are long to
// come, deck.gl starts out of sight; else it waits until the first picture stands, because running it takes a second.
async function early(data, shared, absolute) {
  if (shared.maps?.has(data.early)) return undefined;
  preload(data.deck, absolute);
  const geometry = data.geometry && (await loadGeometry(shared, data, absolute));
  setTimeout(() => !shared.maps?.get(data.early)?.spec && startOutOfSight(data, shared, absolute, geometry), EARLY_AFTER_MS);
  return undefined;
}

function preload(asset, absolute) {
  if (!asset.url) return;
  const link = document.createElement("link");
  Object.assign(link, { rel: "preload", as: "script", href: absolute(asset.url), fetchPriority: "low" });
  document.head.append(link);
}

async function startOutOfSight(data, shared, absolute, geometry) {
  if (!canDraw(shared)) return;
  const library = await loadLibrary(shared, data, absolute);
  const map = mapOf(data.early, shared);
  if (map.spec) return; // the data were quicker
  const holder = document.createElement("div");
  holder.style.cssText = "position:fixed;left:-9999px;top:0;width:800px;height:600px;visibility:hidden";
  holder.setAttribute("aria-hidden", "true");
  document.body.append(holder);
  const root = holder.attachShadow({ mode: "open" });
  addStyle(root);
  map.startEarly(library, geometry, root);
  map.holder = holder;
  map.parked = setTimeout(() => {
    map.stop();
    holder.remove();
    shared.maps.delete(map.key);
  }, EARLY_MS);
}
