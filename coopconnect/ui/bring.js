// Brings what has just been drawn under a button into the window, once.
export default function ({ data, parentElement }) {
  const place = parentElement.host ?? parentElement;
  if (window.__coopconnectBrought === data.token) return;
  window.__coopconnectBrought = data.token;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  place.style.scrollMarginTop = "6rem";
  // the page above may still be growing: wait until it has been laid out
  setTimeout(() => place.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" }), 300);
}
