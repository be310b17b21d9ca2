// The label panel. Mail is shown through textContent only: a stranger's subject is never markup.
const WAIT_MS = 3000; // a kernel that has not answered by then is not there

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// Otherwise JupyterLab reads "b" and "dd" as commands. Its selectors end in ":focus", so that the mark must be on
// the very element that has the focus: on a parent it comes too late.
function keepKeys(node) {
  node.dataset.lmSuppressShortcuts = "true";
}

function render({ model, el }) {
  const items = model.get("items");
  const categories = model.get("categories");
  const automated = model.get("automated");
  const done = model.get("done").map(([message, label]) => ({ message, label }));
  const pending = new Map(); // number of a key -> its timer, until the kernel says it is on disk
  let number = 0, dead = false, guess = false, trace = false;

  const box = element("div", "mailml-label");
  box.tabIndex = 0;
  keepKeys(box);
  box.setAttribute("role", "group");
  box.setAttribute("aria-label",
    "Label panel: a number labels, a automated, s skips, u takes back, g shows the guess, t every rule tried");
  const bar = element("div", "bar"), fill = element("div", "fill");
  bar.append(fill);
  const status = element("div", "status");
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");
  const warning = element("p", "warning");
  warning.setAttribute("role", "alert");
  warning.hidden = true;
  const subject = element("h4", "subject"), meta = element("div", "meta"), body = element("pre", "body");
  body.tabIndex = -1;
  keepKeys(body);
  const hint = element("div", "hint"), tree = element("pre", "tree");
  tree.tabIndex = -1;
  keepKeys(tree);
  const keys = element("div", "keys");
  box.append(bar, status, warning, subject, meta, body, hint, tree, keys);
  el.append(box);

  const button = (key, text, act) => {
    const node = element("button");
    node.type = "button";
    keepKeys(node);
    node.append(element("kbd", "", key), document.createTextNode(" " + text));
    node.setAttribute("aria-keyshortcuts", key);
    node.addEventListener("click", () => { act(); box.focus({ preventScroll: true }); });
    keys.append(node);
  };
  categories.forEach((name, at) => button(String(at + 1), name, () => put(name)));
  button("a", automated, () => put(automated));
  button("s", "skip", () => skip());
  button("u", "undo", () => undo());
  button("g", "guess", () => { guess = !guess; draw(); });
  button("t", "trace", () => { trace = !trace; draw(); });

  const current = () => {
    const seen = new Set(done.map((entry) => entry.message));
    return items.find((item) => !seen.has(item.message));
  };

  function draw() {
    const item = current();
    const labelled = done.filter((entry) => entry.label !== null).length - pending.size;
    status.textContent = `${Math.max(labelled, 0)} labelled and on disk` +
      (pending.size ? `, ${pending.size} ${dead ? "NOT saved" : "on the way"}` : "") + `, ${items.length - done.length} left`;
    fill.style.width = `${items.length ? (100 * done.length) / items.length : 100}%`;
    subject.textContent = item ? item.subject || "(no subject)" : "All done.";
    meta.textContent = item ? `${item.sender}   ${item.received}` : `The labels are in ${model.get("where")}`;
    body.textContent = item ? item.body : "";
    body.scrollTop = 0;
    hint.textContent = item && guess ? item.guess || "no classifier was given" : "";
    hint.hidden = !hint.textContent;
    tree.textContent = item && trace ? item.trace || "no bundle was given" : "";
    tree.hidden = !tree.textContent;
  }

  function fail(text) {
    dead = true;
    warning.textContent = text;
    warning.hidden = false;
    box.classList.add("dead");
    draw();
  }

  function post(event) {
    const mine = ++number;
    pending.set(mine, setTimeout(() => fail(
      `${pending.size} label(s) NOT saved: the kernel does not answer. Run this cell again; ` +
      "nothing after the last saved label was stored."), WAIT_MS));
    try { model.send({ ...event, seq: mine }); } catch { /* the timer will say so */ }
  }

  function put(label) {
    const item = current();
    if (dead || !item) return;
    done.push({ message: item.message, label });
    post({ type: "label", message: item.message, label });
    draw();
  }

  function skip() {
    const item = current();
    if (dead || !item) return;
    done.push({ message: item.message, label: null });
    post({ type: "skip", message: item.message });
    draw();
  }

  function undo() {
    if (dead || !done.length) return;
    done.pop();
    post({ type: "undo" });
    draw();
  }

  const heard = (message) => {
    const mine = message.ack ?? message.refused;
    if (mine === undefined || !pending.has(mine)) return;
    clearTimeout(pending.get(mine));
    pending.delete(mine);
    if (message.refused !== undefined) fail(`NOT saved: ${message.why}`);
    draw();
  };
  model.on("msg:custom", heard);

  const acts = { s: skip, u: undo, a: () => put(automated), g: () => { guess = !guess; draw(); },
    t: () => { trace = !trace; draw(); } };
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const at = Number(event.key);
    if (at >= 1 && at <= categories.length) put(categories[at - 1]);
    else if (acts[event.key]) acts[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  box.addEventListener("keydown", onKey);
  draw();
  return () => {
    box.removeEventListener("keydown", onKey);
    model.off("msg:custom", heard);
    pending.forEach((timer) => clearTimeout(timer));
  };
}

export default { render };
