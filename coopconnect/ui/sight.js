// A mark on the page that tells the app when it comes near the window, and when it is far again.
// Charts wait for the map's first picture: their library is as heavy as the map's, and the map comes first.
const MAP_WAIT_MS = 6000;
const mapDrawn = () => {
  const shared = (window.__coopconnect ??= { modules: new Map(), inline: {} });
  if (!shared.maps?.size) return Promise.resolve();
  shared.firstPicture ??= new Promise((resolve) => {
    shared.pictured = resolve;
    setTimeout(resolve, MAP_WAIT_MS);
  });
  return shared.firstPicture;
};

export default function ({ data, parentElement, setStateValue }) {
  let mark = parentElement.querySelector("div");
  if (!mark) {
    mark = document.createElement("div");
    parentElement.appendChild(mark);
  }
  mark.style.height = data.near ? "1px" : `${data.height}px`;
  mark.textContent = data.near ? "" : data.words;
  mark.style.cssText += "color: #51616b; overflow: hidden; padding-top: 0;";
  const watch = new IntersectionObserver(
    ([entry]) => {
      const below = entry.boundingClientRect.top - window.innerHeight;
      const above = entry.boundingClientRect.top + data.height < 0;
      const near = below < data.margin && !above;
      if (near === data.near) return;
      if (near) mapDrawn().then(() => setStateValue("near", true));
      else setStateValue("near", false);
    },
    { rootMargin: `${data.margin}px` },
  );
  watch.observe(mark);
  return () => watch.disconnect();
}
