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

// Streamlit's last request names the page: one that leaves after a click on a link, from the page being left, would
// call the visitor back. So nothing is told while a page is on its way.
const LEAVING_MS = 4000;
// The frame of the page listens to its links (frame.js): a link may be pressed before this mark is on the page.
const leftAt = () => {
  const link = window.__coopconnectLinks;
  return link && link.path === window.location.pathname ? link.at : -Infinity; // elsewhere: the page has changed
};

export default function ({ data, parentElement, setStateValue }) {
  let mark = parentElement.querySelector("div");
  if (!mark) {
    mark = document.createElement("div");
    parentElement.appendChild(mark);
  }
  let timer = 0;
  const tell = (near) => {
    clearTimeout(timer);
    const left = leftAt() + LEAVING_MS - performance.now();
    if (!mark.isConnected) return;
    if (left > 0) timer = setTimeout(() => tell(near), left);
    else setStateValue("near", near);
  };
  mark.style.height = data.near ? "1px" : `${data.height}px`;
  mark.textContent = data.near ? "" : data.words;
  mark.style.cssText += "color: #51616b; overflow: hidden; padding-top: 0;";
  const watch = new IntersectionObserver(
    ([entry]) => {
      const below = entry.boundingClientRect.top - window.innerHeight;
      const above = entry.boundingClientRect.top + data.height < 0;
      const near = below < data.margin && !above;
      if (near === data.near) return;
      if (near) mapDrawn().then(() => tell(true));
      else tell(false);
    },
    { rootMargin: `${data.margin}px` },
  );
  watch.observe(mark);
  return () => { watch.disconnect(); clearTimeout(timer); };
}
