// Contours as plain arrays, and the arithmetic of the map: positions, which zone lies under a point.
const WORLD_PX = 512; // width of the world at zoom 0, in CSS pixels

const mercatorX = (lon) => lon / 360 + 0.5;
const mercatorY = (lat) => 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI);
const lonOf = (x) => (x - 0.5) * 360;
const latOf = (y) => (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI;

function degreesOf(quantised, header) {
  const out = new Float32Array(quantised.length);
  for (let i = 0; i < quantised.length; i += 2) {
    out[i] = lonOf(quantised[i] / header.scale + header.x0);
    out[i + 1] = latOf(quantised[i + 1] / header.scale + header.y0);
  }
  return out;
}

// Layout: see coopconnect/show/geometry.py.
function decodeGeometry(buffer) {
  const headerLength = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerLength)));
  if (header.format !== "coopconnect-contours" || header.version !== 1) {
    throw new Error(`unknown geometry ${header.format} ${header.version}`);
  }
  let offset = 4 + headerLength;
  const take = (count) => {
    const view = new Uint32Array(buffer, offset, count);
    offset += 4 * count;
    return view;
  };
  const ringStart = take(header.rings + 1);
  const ringZone = take(header.rings);
  const lineStart = take(header.lines + 1);
  const outlineStart = take(header.outlines + 1);
  const vertex = new Uint16Array(buffer, offset, header.vertices * 2);
  const outlineVertex = new Uint16Array(buffer, offset + header.vertices * 4, header.outline_vertices * 2);
  const geometry = {
    header,
    ringStart,
    ringZone,
    lineStart,
    outlineStart,
    vertex,
    degrees: degreesOf(vertex, header),
    outlineVertex,
  };
  geometry.ringBox = boxes(ringStart, header.rings, vertex);
  geometry.lineBox = boxes(lineStart, header.lines, vertex);
  geometry.zoneLines = (zone) => linesOfZone(geometry, zone);
  geometry.zoneRings = ringsByZone(geometry);
  geometry.points = zonePoints(header);
  geometry.rowOf = new Map(header.codes.map((code, row) => [code, row]));
  return geometry;
}

// [west, north, east, south] of each run of vertices, in quantised steps.
function boxes(start, count, vertex) {
  const box = new Uint16Array(count * 4);
  for (let run = 0; run < count; run++) {
    let west = 65535, north = 65535, east = 0, south = 0;
    for (let v = start[run]; v < start[run + 1]; v++) {
      const x = vertex[2 * v], y = vertex[2 * v + 1];
      if (x < west) west = x;
      if (x > east) east = x;
      if (y < north) north = y;
      if (y > south) south = y;
    }
    box.set([west, north, east, south], run * 4);
  }
  return box;
}

function ringsByZone({ ringZone, header }) {
  const rings = Array.from({ length: header.zones }, () => []);
  ringZone.forEach((zone, ring) => rings[zone].push(ring));
  return rings;
}

// The point of each zone in world units (NaN where there is none), for names and discs.
function zonePoints(header) {
  const points = new Float64Array(header.zones * 2);
  for (let zone = 0; zone < header.zones; zone++) {
    const lon = header.lon[zone], lat = header.lat[zone];
    points[2 * zone] = lon === null ? NaN : mercatorX(lon);
    points[2 * zone + 1] = lat === null ? NaN : mercatorY(lat);
  }
  return points;
}

// Even-odd rule. A bridge to a hole is walked there and back, so it counts twice and changes nothing.
function insideRing({ ringStart, vertex }, ring, x, y) {
  let inside = false;
  const first = ringStart[ring], last = ringStart[ring + 1] - 1;
  for (let v = first; v < last; v++) {
    const ax = vertex[2 * v], ay = vertex[2 * v + 1];
    const bx = vertex[2 * v + 2], by = vertex[2 * v + 3];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

// Row of the zone at a position in world units, or -1.
function zoneAt(geometry, worldX, worldY) {
  const { header, ringBox, ringZone } = geometry;
  const x = (worldX - header.x0) * header.scale, y = (worldY - header.y0) * header.scale;
  for (let ring = 0, b = 0; ring < header.rings; ring++, b += 4) {
    if (x < ringBox[b] || x > ringBox[b + 2] || y < ringBox[b + 1] || y > ringBox[b + 3]) continue;
    if (insideRing(geometry, ring, x, y)) return ringZone[ring];
  }
  return -1;
}

// [west, north, east, south] in world units of the zones that `wanted` keeps.
function worldBounds(geometry, wanted) {
  const { header, ringBox, ringZone } = geometry;
  let west = Infinity, north = Infinity, east = -Infinity, south = -Infinity;
  for (let ring = 0, b = 0; ring < header.rings; ring++, b += 4) {
    if (!wanted(ringZone[ring])) continue;
    west = Math.min(west, ringBox[b]);
    north = Math.min(north, ringBox[b + 1]);
    east = Math.max(east, ringBox[b + 2]);
    south = Math.max(south, ringBox[b + 3]);
  }
  const { x0, y0, scale } = header;
  return [west / scale + x0, north / scale + y0, east / scale + x0, south / scale + y0];
}

// Rows of the border lines of one zone, bridges to holes left out.
function linesOfZone({ zoneRings, ringStart, lineStart }, zone) {
  const lines = [];
  for (const ring of zoneRings[zone] ?? []) {
    let line = lowerBound(lineStart, ringStart[ring]);
    for (; lineStart[line] < ringStart[ring + 1]; line++) lines.push(line);
  }
  return lines;
}

function lowerBound(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The same rings on a grid of 2^shift steps, for a view from afar: neighbours snap to the same points, so no gap
// opens. A ring that shrinks to nothing becomes its box. {startIndices, degrees}
function coarseRings({ ringStart, ringBox, vertex, header }, shift) {
  const startIndices = new Uint32Array(header.rings + 1);
  const steps = new Uint16Array(vertex.length + header.rings * 10);
  const half = (1 << shift) >> 1;
  let size = 0;
  const push = (x, y) => {
    steps[2 * size] = x;
    steps[2 * size + 1] = y;
    size++;
  };
  for (let ring = 0; ring < header.rings; ring++) {
    const first = (startIndices[ring] = size);
    for (let v = ringStart[ring]; v < ringStart[ring + 1]; v++) {
      const x = ((vertex[2 * v] >> shift) << shift) + half, y = ((vertex[2 * v + 1] >> shift) << shift) + half;
      if (size === first || x !== steps[2 * size - 2] || y !== steps[2 * size - 1]) push(x, y);
    }
    if (size - first >= 4) continue;
    size = first;
    const [west, north, east, south] = ringBox.subarray(4 * ring, 4 * ring + 4);
    for (const [x, y] of [[west, north], [east, north], [east, south], [west, south], [west, north]]) push(x, y);
  }
  startIndices[header.rings] = size;
  return { startIndices, degrees: degreesOf(steps.subarray(0, 2 * size), header) };
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// The counterpart of maps.pack_numbers: NaN stands for "none".
function numbersOf(packed) {
  const buffer = bytesOf(packed.data).buffer;
  const whole = packed.bits === 8 ? new Int8Array(buffer) : packed.bits === 16 ? new Int16Array(buffer) : new Int32Array(buffer);
  const none = -(2 ** (packed.bits - 1)), unit = 10 ** packed.decimals;
  return Float64Array.from(whole, (value) => (value === none ? NaN : value / unit));
}
