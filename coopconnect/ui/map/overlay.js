// Lines, discs, arcs and names, on flat canvases above deck.gl's; and the fills until deck.gl is there.
//
// Why not deck.gl's PathLayer: in software GL it takes 2.4 s to draw PACA's borders, and it would draw them again
// at every change of colour. Here the border canvas is drawn when the view has settled and merely shifted and
// scaled while it moves; a change of colour does not touch it at all.
const LABEL_AREA_PX2 = 21000; // about one name per so many square pixels
const BORDER_MAX_LINES = 9000; // with more border lines in view they would merge into a veil: none are drawn
const DISC_PX = 1.4; // radius of a disc in pixels = DISC_PX * square root of users

const MOST_RADIUS_PX = 26;
const MOST_APART = 60; // numbered discs that are kept from covering one another

const discPx = (big) => DISC_PX * (big ? 1.5 : 1);
const discRadius = (users, big) => Math.min(MOST_RADIUS_PX, Math.max(2.5, discPx(big) * Math.sqrt(Math.max(users, 0))));
const usersOf = (radius, big) => Math.round((radius / discPx(big)) ** 2); // of a disc of that radius

// A canvas of the size of the stage, its pen in CSS pixels, wiped.
function penOf(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  // Drawn by the processor, not through GL: 15 ms instead of 1.9 s for PACA's borders where GL is software.
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.lineJoin = "round";
  pen.lineCap = "round";
  return pen;
}

// From quantised vertices to pixels of the stage.
function gridOf(geometry, view, width, height) {
  const { header } = geometry;
  const scale = WORLD_PX * 2 ** view.zoom;
  return {
    width,
    height,
    step: scale / header.scale,
    left: (header.x0 - mercatorX(view.longitude)) * scale + width / 2,
    top: (header.y0 - mercatorY(view.latitude)) * scale + height / 2,
  };
}

// Adds one line to the pen's path; points closer than a pixel to the last are skipped.
function traceLine(pen, vertex, first, last, grid) {
  let x = vertex[2 * first] * grid.step + grid.left, y = vertex[2 * first + 1] * grid.step + grid.top;
  pen.moveTo(x, y);
  for (let v = first + 1; v < last; v++) {
    const nx = vertex[2 * v] * grid.step + grid.left, ny = vertex[2 * v + 1] * grid.step + grid.top;
    if (v < last - 1 && Math.abs(nx - x) + Math.abs(ny - y) < 0.9) continue;
    pen.lineTo(nx, ny);
    x = nx;
    y = ny;
  }
}

function linesInView(geometry, grid) {
  const { header, lineBox } = geometry;
  const west = -grid.left / grid.step, north = -grid.top / grid.step;
  const east = west + grid.width / grid.step, south = north + grid.height / grid.step;
  const lines = [];
  for (let line = 0, b = 0; line < header.lines; line++, b += 4) {
    if (lineBox[b] <= east && lineBox[b + 2] >= west && lineBox[b + 1] <= south && lineBox[b + 3] >= north) lines.push(line);
  }
  return lines;
}

// Zone borders and département lines.
function drawLines(canvas, geometry, view, width, height, projector) {
  const pen = penOf(canvas, width, height);
  const grid = gridOf(geometry, view, width, height);
  const lines = linesInView(geometry, grid);
  if (lines.length <= BORDER_MAX_LINES) {
    pen.beginPath();
    for (const line of lines) traceLine(pen, geometry.vertex, geometry.lineStart[line], geometry.lineStart[line + 1], grid);
    pen.strokeStyle = "rgba(255,255,255,0.75)";
    pen.lineWidth = grid.step * geometry.header.scale < WORLD_PX * 2 ** 8.2 ? 0.55 : 1;
    pen.stroke();
  }
  pen.beginPath();
  for (let k = 0; k < geometry.header.outlines; k++) {
    traceLine(pen, geometry.outlineVertex, geometry.outlineStart[k], geometry.outlineStart[k + 1], grid);
  }
  pen.strokeStyle = projector ? "#16202a" : "rgba(52,64,76,0.9)";
  pen.lineWidth = projector ? 1.9 : 1.1;
  pen.stroke();
}

// Shift and scale the drawn lines to where they belong in another view, exactly, without drawing them.
function shiftLines(canvas, from, to, width, height) {
  const grow = 2 ** (to.zoom - from.zoom), scale = WORLD_PX * 2 ** to.zoom;
  const dx = (mercatorX(from.longitude) - mercatorX(to.longitude)) * scale + (width / 2) * (1 - grow);
  const dy = (mercatorY(from.latitude) - mercatorY(to.latitude)) * scale + (height / 2) * (1 - grow);
  canvas.style.transform = `translate(${dx}px, ${dy}px) scale(${grow})`;
}

// The fills on a flat canvas: the first picture, before deck.gl has arrived, and until it has drawn its own.
function drawFills(canvas, map, width, height) {
  const { geometry, zoneClass, table, view } = map;
  const pen = penOf(canvas, width, height);
  const grid = gridOf(geometry, view, width, height);
  const { header, ringStart, ringZone, ringBox, vertex } = geometry;
  const west = -grid.left / grid.step, north = -grid.top / grid.step;
  const east = west + width / grid.step, south = north + height / grid.step;
  const byClass = new Map();
  for (let ring = 0, b = 0; ring < header.rings; ring++, b += 4) {
    if (ringBox[b] > east || ringBox[b + 2] < west || ringBox[b + 1] > south || ringBox[b + 3] < north) continue;
    const k = zoneClass[ringZone[ring]];
    if (!byClass.has(k)) byClass.set(k, []);
    byClass.get(k).push(ring);
  }
  for (const [k, rings] of byClass) {
    pen.beginPath();
    for (const ring of rings) traceLine(pen, vertex, ringStart[ring], ringStart[ring + 1], grid);
    pen.fillStyle = `rgb(${table[3 * k]},${table[3 * k + 1]},${table[3 * k + 2]})`;
    pen.fill("evenodd");
  }
  drawHatch(pen, map, width, height);
}

function drawHatch(pen, { hatchData, view, spec }, width, height) {
  const sources = hatchData.attributes.getSourcePosition.value, targets = hatchData.attributes.getTargetPosition.value;
  const scale = WORLD_PX * 2 ** view.zoom;
  const left = width / 2 - mercatorX(view.longitude) * scale, top = height / 2 - mercatorY(view.latitude) * scale;
  pen.beginPath();
  for (let k = 0; k < 2 * hatchData.length; k += 2) {
    pen.moveTo(mercatorX(sources[k]) * scale + left, mercatorY(sources[k + 1]) * scale + top);
    pen.lineTo(mercatorX(targets[k]) * scale + left, mercatorY(targets[k + 1]) * scale + top);
  }
  pen.strokeStyle = spec.flag[1];
  pen.lineWidth = spec.projector ? 1.8 : 1.2;
  pen.stroke();
}

// Everything that belongs to the choice of the moment: outline under the pointer, discs, arcs, chosen zone, names.
// A disc with a number is at least as large as its text.
const numberPx = (big) => (big ? 17 : 11.5);
const numberedRadius = (big) => 0.85 * numberPx(big);

// Places of the discs: those with a number are pushed apart until their numbers do not touch, the rest stay.
function apart(places, sites, least) {
  const moved = places.map(([x, y]) => [x, y]);
  const numbered = sites.flatMap((site, k) => (site.label ? [k] : []));
  if (numbered.length > MOST_APART) return moved;
  for (let round = 0; round < 12; round++) {
    let touched = false;
    for (const [n, i] of numbered.entries()) {
      for (const j of numbered.slice(n + 1)) {
        const dx = moved[j][0] - moved[i][0], dy = moved[j][1] - moved[i][1];
        const far = Math.hypot(dx, dy);
        if (far >= least) continue;
        touched = true;
        const push = (least - far) / 2, ux = far > 0.01 ? dx / far : 1, uy = far > 0.01 ? dy / far : 0;
        moved[i] = [moved[i][0] - push * ux, moved[i][1] - push * uy];
        moved[j] = [moved[j][0] + push * ux, moved[j][1] + push * uy];
      }
    }
    if (!touched) break;
  }
  return moved;
}

class Marks {
  constructor(canvas, geometry) {
    this.canvas = canvas;
    this.geometry = geometry;
    this.widths = new Map();
    const { population } = geometry.header;
    this.order = Array.from(population.keys()).sort((a, b) => population[b] - population[a]);
  }

  draw(map, width, height) {
    const pen = penOf(this.canvas, width, height);
    const { view, spec } = map;
    const scale = WORLD_PX * 2 ** view.zoom;
    const at = (x, y) => [
      (x - mercatorX(view.longitude)) * scale + width / 2,
      (y - mercatorY(view.latitude)) * scale + height / 2,
    ];
    const grid = gridOf(this.geometry, view, width, height);
    if (map.hovered >= 0 && map.hovered !== map.selected) this.outline(pen, map.hovered, grid, 1.5);
    this.discs(pen, map.sites, at, spec.projector, map.font || "sans-serif");
    if (map.selected >= 0) this.outline(pen, map.selected, grid, spec.projector ? 4 : 2.6);
    this.arcs(pen, map.arcs, at, spec.projector);
    const size = spec.projector ? 19 : width < 560 ? 11 : 12.5;
    this.names(pen, map, at, width, height, { size, font: map.font || "sans-serif" });
  }

  outline(pen, zone, grid, width) {
    const { zoneLines, lineStart, vertex } = this.geometry;
    pen.beginPath();
    for (const line of zoneLines(zone)) traceLine(pen, vertex, lineStart[line], lineStart[line + 1], grid);
    pen.strokeStyle = "rgba(255,255,255,0.9)";
    pen.lineWidth = width + 2.6;
    pen.stroke();
    pen.strokeStyle = INK;
    pen.lineWidth = width;
    pen.stroke();
  }

  // The largest discs lie lowest; a numbered one stands aside from its neighbours, a line to its place, so as to be read.
  discs(pen, sites, at, big, font) {
    pen.strokeStyle = INK;
    pen.lineWidth = big ? 1.8 : 1.1;
    const size = numberPx(big);
    const order = [...sites].sort((a, b) => Boolean(a.label) - Boolean(b.label) || b.users - a.users);
    const places = apart(order.map((site) => at(site.x, site.y)), order, 2 * numberedRadius(big));
    for (const [k, site] of order.entries()) {
      const [x, y] = places[k];
      const [x0, y0] = at(site.x, site.y);
      const radius = discRadius(site.users, big);
      if (Math.hypot(x - x0, y - y0) > 2) {
        pen.beginPath();
        pen.moveTo(x0, y0);
        pen.lineTo(x, y);
        pen.stroke();
      }
      pen.beginPath();
      pen.arc(x, y, site.label ? Math.max(radius, numberedRadius(big)) : radius, 0, 2 * Math.PI);
      pen.fillStyle = site.label ? "rgba(255,255,255,0.9)" : "rgba(255,255,255,0.5)";
      pen.fill();
      pen.stroke();
      if (!site.label) continue;
      pen.font = `700 ${size}px ${font}`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillStyle = INK;
      pen.fillText(site.label, x, y + 0.5);
    }
  }

  // Gentle curves from home to site, always bending to the same side of travel; wider with more people.
  arcs(pen, arcs, at, big) {
    const most = Math.max(...arcs.map((arc) => arc.people), 1e-9);
    for (const arc of arcs) {
      const [ax, ay] = at(arc.x, arc.y), [bx, by] = at(arc.toX, arc.toY);
      const long = Math.hypot(bx - ax, by - ay);
      // Short on the screen, thin too: seen from afar the arcs of one site must not become a blot.
      const width = Math.max(0.7, Math.min((1 + 3.2 * Math.sqrt(arc.people / most)) * (big ? 1.6 : 1), long * 0.09));
      const path = new Path2D();
      path.moveTo(ax, ay);
      path.quadraticCurveTo((ax + bx) / 2 + (by - ay) * 0.16, (ay + by) / 2 - (bx - ax) * 0.16, bx, by);
      pen.strokeStyle = "rgba(255,255,255,0.75)";
      pen.lineWidth = width + Math.min(1.8, width);
      pen.stroke(path);
      pen.strokeStyle = pen.fillStyle = ARC_INK;
      pen.lineWidth = width;
      pen.stroke(path);
      pen.beginPath();
      pen.arc(ax, ay, width * 1.15 + 0.4, 0, 2 * Math.PI);
      pen.fill();
    }
  }

  // Biggest town first; a name that would touch one already written is left out.
  names(pen, map, at, width, height, style) {
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const { points } = this.geometry;
    // A numbered disc keeps its place: the name of its commune stands above it, others keep clear.
    const disc = numberedRadius(map.spec.projector);
    const numbered = map.sites.filter((site) => site.label);
    this.lifted = new Set(numbered.map((site) => site.zone));
    const places = apart(numbered.map((site) => at(site.x, site.y)), numbered, 2 * disc);
    const taken = places.map(([x, y]) => [x - disc, y - disc, x + disc, y + disc]);
    const limit = Math.max(5, Math.min(60, (width * height) / ((LABEL_AREA_PX2 * style.size) / 12.5)));
    if (map.selected >= 0) {
      this.name(pen, map.selected, at(points[2 * map.selected], points[2 * map.selected + 1]), width, height, style, taken, true);
    }
    let tried = 0;
    for (const zone of this.order) {
      if (taken.length >= limit + numbered.length || tried > 600) break;
      if (zone === map.selected) continue;
      const [x, y] = at(points[2 * zone], points[2 * zone + 1]);
      if (!(x > 0 && y > 0 && x < width && y < height)) continue;
      tried++;
      this.name(pen, zone, [x, y], width, height, style, taken, false);
    }
  }

  name(pen, zone, [x, y], width, height, style, taken, chosen) {
    const { names, population } = this.geometry.header;
    const big = population[zone] >= 40000 || chosen;
    const size = style.size * (big ? 1.12 : 1);
    pen.font = `${big ? 600 : 500} ${size}px ${style.font}`;
    const key = pen.font + names[zone];
    if (!this.widths.has(key)) this.widths.set(key, pen.measureText(names[zone]).width);
    const half = this.widths.get(key) / 2, line = y - (this.lifted.has(zone) ? size * 2.1 : chosen ? size * 1.35 : 0);
    const box = [x - half - 9, line - size * 0.9, x + half + 9, line + size * 0.9];
    const out = box[0] < 2 || box[2] > width - 2 || box[1] < 2 || box[3] > height - 2;
    const touches = taken.some((b) => box[0] < b[2] && box[2] > b[0] && box[1] < b[3] && box[3] > b[1]);
    if (!chosen && (out || touches)) return;
    taken.push(box);
    pen.lineWidth = size * 0.28;
    pen.strokeStyle = "rgba(255,255,255,0.85)";
    pen.strokeText(names[zone], x, line);
    pen.fillStyle = INK;
    pen.fillText(names[zone], x, line);
  }
}
