// Runs inside Streamlit. Kept tiny because Streamlit sends it with every run; the map itself is one file that
// the browser loads once (from the app's own static folder, or from the message itself where there is none).
const shared = (window.__coopconnect ??= { modules: new Map(), inline: {} });

function absolute(url) {
  return new URL(url, document.baseURI).href;
}

// Content that came in a message. Streamlit may drop a message that a newer one overtakes: then ask again.
shared.content ??= (name) => {
  if (shared.inline[name] === undefined) throw Object.assign(new Error(name), { missing: true });
  return shared.inline[name];
};

function moduleOf({ name, url }) {
  if (!shared.modules.has(name)) {
    const source = url ? absolute(url) : URL.createObjectURL(new Blob([shared.content(name)], { type: "text/javascript" }));
    shared.modules.set(name, import(source));
  }
  return shared.modules.get(name);
}

export default async function (component) {
  const { data, setStateValue } = component;
  if (!data) return undefined;
  Object.assign(shared.inline, data.inline ?? {});
  try {
    const module = await moduleOf(data.code);
    return await module.mount(component, shared, absolute);
  } catch (error) {
    shared.modules.delete(data.code.name);
    if (data.code.url || error?.missing) setStateValue("status", { inline: true, asked: Date.now() });
    else setStateValue("status", { failed: String(error?.message ?? error) });
    return undefined;
  }
}
