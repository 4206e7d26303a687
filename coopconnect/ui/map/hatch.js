// Diagonal hatching of flagged zones, as line segments. Lines lie on one grid for the whole map, so they run on
// from one zone to the next. (deck.gl's own pattern extension is not part of pydeck's bundle.)
const HATCH_PX = 7; // distance between lines along the x axis, in CSS pixels at the zoom they are made for

function hatchZone(geometry, zone, step, out) {
  const { zoneRings, ringStart, vertex, header } = geometry;
  const crossings = new Map();
  for (const ring of zoneRings[zone]) {
    for (let v = ringStart[ring]; v < ringStart[ring + 1] - 1; v++) {
      const ax = vertex[2 * v], ay = vertex[2 * v + 1], bx = vertex[2 * v + 2], by = vertex[2 * v + 3];
      const from = ax + ay, to = bx + by;
      const first = Math.ceil(Math.min(from, to) / step), last = Math.ceil(Math.max(from, to) / step) - 1;
      for (let line = first; line <= last; line++) {
        const t = (line * step - from) / (to - from);
        const along = ax - ay + t * (bx - by - (ax - ay));
        if (crossings.has(line)) crossings.get(line).push(along);
        else crossings.set(line, [along]);
      }
    }
  }
  const degrees = (sum, difference) => {
    out.push(lonOf((sum + difference) / 2 / header.scale + header.x0));
    out.push(latOf((sum - difference) / 2 / header.scale + header.y0));
  };
  for (const [line, along] of crossings) {
    along.sort((a, b) => a - b);
    for (let i = 0; i + 1 < along.length; i += 2) {
      degrees(line * step, along[i]);
      degrees(line * step, along[i + 1]);
    }
  }
}

// {length, sources, targets} for a LineLayer; zoom: the whole zoom level the spacing is made for.
function hatchLines(geometry, zones, zoom) {
  const step = (HATCH_PX / (WORLD_PX * 2 ** zoom)) * geometry.header.scale;
  const flat = [];
  for (const zone of zones) hatchZone(geometry, zone, step, flat);
  const length = flat.length / 4;
  const sources = new Float32Array(length * 2), targets = new Float32Array(length * 2);
  for (let i = 0; i < length; i++) {
    sources.set([flat[4 * i], flat[4 * i + 1]], 2 * i);
    targets.set([flat[4 * i + 2], flat[4 * i + 3]], 2 * i);
  }
  return { length, sources, targets };
}
