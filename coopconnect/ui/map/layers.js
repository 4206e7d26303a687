// What deck.gl draws: the fill of the zones and the hatching of flagged ones. Its code comes from the bundle
// inside pydeck's installed package, which puts all of deck.gl on `window.deck`.
const FAR_ZONES = 6000; // a territory with more zones is drawn with coarser contours from afar
const FAR_PX = 0.7; // and by so many pixels at most, when all of it is in view
const INK = "#16202a", ARC_INK = "#7a1f5c";

const rgbOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

// No antialiasing: every edge of a fill lies under a border line, and software GL pays dearly for it.
function makeDeck(library, container, props) {
  return new library.Deck({
    parent: container,
    width: "100%",
    height: "100%",
    style: { zIndex: "0" },
    deviceProps: { type: "webgl", webgl: { antialias: false } },
    layers: [],
    ...props,
  });
}

function colourTable(spec) {
  const table = new Uint8Array(256 * 3).fill(200);
  spec.colours.forEach((hex, k) => table.set(rgbOf(hex), 3 * k));
  table.set(rgbOf(spec.flag[0]), 3 * 254);
  table.set(rgbOf(spec.none), 3 * 255);
  return table;
}

function zoneLayers(map) {
  const { library, geometry, spec, zoneClass, table, fillVersion } = map;
  const layers = [
    new library.SolidPolygonLayer({
      id: map.far ? "zones-far" : "zones",
      data: map.far ? map.farData() : map.zoneData,
      _normalize: false,
      positionFormat: "XY",
      extruded: false,
      material: false,
      getFillColor: (_, { index, target }) => {
        const at = 3 * zoneClass[geometry.ringZone[index]];
        target[0] = table[at];
        target[1] = table[at + 1];
        target[2] = table[at + 2];
        target[3] = 255;
        return target;
      },
      updateTriggers: { getFillColor: [fillVersion] },
    }),
  ];
  if (map.hatchData.length) {
    layers.push(
      new library.LineLayer({
        id: "hatch",
        data: map.hatchData,
        getColor: [...rgbOf(spec.flag[1]), 235],
        getWidth: spec.projector ? 1.8 : 1.2,
        widthUnits: "pixels",
        positionFormat: "XY",
      })
    );
  }
  return layers;
}

// One small triangle and one line, far from any territory: they compile the shaders of the layers of the map.
function seedLayers(library) {
  const data = (name, numbers) => ({ length: 1, startIndices: new Uint32Array([0, 3]), attributes: { [name]: { value: new Float32Array(numbers), size: 2 } } });
  const line = { length: 1, attributes: { getSourcePosition: { value: new Float32Array([0, 0]), size: 2 }, getTargetPosition: { value: new Float32Array([1, 1]), size: 2 } } };
  return [
    new library.SolidPolygonLayer({
      id: "zones", data: data("getPolygon", [0, 0, 1, 0, 1, 1]), _normalize: false, positionFormat: "XY", extruded: false, material: false, getFillColor: [0, 0, 0, 255],
    }),
    new library.LineLayer({ id: "hatch", data: line, getColor: [0, 0, 0, 255], getWidth: 1, widthUnits: "pixels", positionFormat: "XY" }),
  ];
}
