// The rule panel. Mail and rules are shown through textContent and values only: a stranger's subject is never markup.
const WAIT_MS = 8000; // a kernel that has not answered by then is busy with a long cell, or gone
const PAUSE_MS = 60; // typing is tried when it pauses this long, and never two tries at once

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const copy = (value) => JSON.parse(JSON.stringify(value));

function choice(label, options, value, act) {
  const node = element("select", { "aria-label": label, onchange: () => act(node.value) });
  for (const [name, text] of options) node.append(element("option", { value: name, text: text ?? name }));
  node.value = value;
  return node;
}

function line(label, value, act, attributes = {}) {
  const node = element("input", { type: "text", "aria-label": label, spellcheck: "false", ...attributes });
  node.value = value ?? "";
  node.addEventListener("input", () => act(node.value));
  return node;
}

const pair = (text, node) => element("span", { class: "pair" }, element("label", { text }), node);

function render({ model, el }) {
  const fields = Object.fromEntries(model.get("fields").map((field) => [field.name, field]));
  const words = model.get("operators"), queues = model.get("queues");
  let drafts = copy(model.get("rules")), fallback = model.get("default"), at = 0, removed = [];
  let sent = 0, waiting = null, again = "", timer = 0, typed = false, tried = null;

  const id = `mailml-rules-${Math.random().toString(36).slice(2)}`;
  const names = element("ol", { class: "names", role: "listbox", tabindex: "0", "aria-label":
    "Rules in order. Arrow keys choose, Alt with an arrow moves, Insert adds, Delete takes out, Enter edits" });
  const restCount = element("span", { class: "reach" });
  const editor = element("div", { class: "editor", role: "group", "aria-label": "The chosen rule" });
  const count = element("div", { class: "count", role: "status", "aria-live": "polite" });
  const faults = element("ul", { class: "faults", role: "alert", hidden: true });
  const places = element("div", { class: "places" });
  const sample = element("table", { class: "sample" });
  const diff = element("pre", { class: "diff", tabindex: "0", "aria-label": "What saving would change" });
  const warning = element("p", { class: "warning", role: "alert", hidden: true });
  const state = element("span", { class: "state", role: "status", "aria-live": "polite" });
  const button = (text, keys, act) =>
    element("button", { type: "button", "aria-keyshortcuts": keys, title: keys, text, onclick: act });
  const takeBack = button("Take back", "", () => undo());
  const bar = element("div", { class: "bar" }, button("New rule", "Insert", () => add()), takeBack,
    button("Save", "Control+S", () => save()), state);
  const known = element("datalist", { id });
  for (const queue of queues) known.append(element("option", { value: queue }));
  const other = line("Queue of all other mail", fallback, (value) => { fallback = value; changed(); }, { list: id });
  const rest = element("div", { class: "rest" }, element("span", { text: "all else →" }), other, restCount);
  const list = element("div", { class: "list" }, names, rest);
  const work = element("div", { class: "work" }, editor, count, faults, places, sample);
  const box = element("div", { class: "mailml-rules", role: "group", "aria-label": "Rule panel" },
    bar, warning, element("div", { class: "columns" }, list, work), element("h4", { text: "Against the saved flow" }),
    diff, known);
  el.append(box);

  // JupyterLab's key bindings look for this mark on the very element that has the focus
  box.addEventListener("focusin", (event) => { event.target.dataset.lmSuppressShortcuts = "true"; });

  const rule = () => drafts[at];
  const label = (draft) => draft.then.file ? `file in ${draft.then.file}` : draft.then.queue || "goes on";

  function drawNames() {
    names.replaceChildren(...drafts.map((draft, n) => {
      const reach = tried && tried.reach.length === drafts.length ? tried.reach[n].toLocaleString() : "";
      return element("li", { role: "option", id: `${id}-${n}`, "aria-selected": String(n === at), draggable: "true",
        onclick: () => { choose(n); names.focus({ preventScroll: true }); },
        ondragstart: (event) => { event.dataTransfer.setData("text/plain", String(n)); event.dataTransfer.effectAllowed = "move"; },
        ondragover: (event) => { event.preventDefault(); event.currentTarget.classList.add("over"); },
        ondragleave: (event) => event.currentTarget.classList.remove("over"),
        ondrop: (event) => { event.preventDefault(); move(Number(event.dataTransfer.getData("text/plain")), n); },
      }, element("b", { text: `${n + 1}. ${draft.name}` }), element("span", { class: "goes", text: `→ ${label(draft)}` }),
        element("span", { class: "reach", text: reach }));
    }));
    names.setAttribute("aria-activedescendant", drafts.length ? `${id}-${at}` : "");
    restCount.textContent = tried && !tried.faults.length ? tried.rest.toLocaleString() : "";
    takeBack.disabled = !removed.length;
  }

  function drawEditor() {
    editor.replaceChildren();
    if (!rule()) { editor.append(element("p", { text: "No rule: all mail goes to the default queue." })); return; }
    const draft = rule(), then = draft.then;
    const name = line("Name of the rule", draft.name, (value) => { draft.name = value; changed(); }, { class: "name" });
    editor.append(element("div", { class: "row" }, element("label", { text: "Rule" }), name));
    if (draft.text) drawText(draft); else drawAsks(draft);
    editor.append(element("div", { class: "row" }, element("label", { text: "then" }),
      choice("Where it goes", [["queue", "send to queue"], ["file", "file in folder"], ["", "go on"]],
        then.file ? "file" : then.queue ? "queue" : "", (value) => place(draft, value)),
      then.file !== "" || then.queue !== "" || !then.continue
        ? line("Queue or folder", then.file || then.queue, (value) => { then[then.file ? "file" : "queue"] = value; changed(); },
          then.file ? {} : { list: id }) : element("span")));
    editor.append(element("div", { class: "row" },
      element("label", { text: "priority" }), line("Priority in minutes of ageing", then.priority, (value) => {
        then.priority = value === "" ? null : Number(value); changed(); }, { type: "number", step: "1" }),
      pair("promise", line("SLA target", then.sla, (value) => { then.sla = value; changed(); }, { placeholder: "the desk's" })),
      pair("tags", line("Tags, comma between", then.tags.join(", "), (value) => {
        then.tags = value.split(",").map((tag) => tag.trim()).filter(Boolean); changed(); }))));
    const acks = [["", "as the desk says"], ["on", "on"], ["off", "off"]];
    const templates = new Set([...model.get("templates"), ...(typeof then.ack === "string" && then.ack ? [then.ack] : [])]);
    for (const name of templates) acks.push([`template ${name}`]);
    const go = element("input", { type: "checkbox", "aria-label": "Rules below are tried as well" });
    go.checked = then.continue;
    go.addEventListener("change", () => { then.continue = go.checked; changed(); });
    editor.append(element("div", { class: "row" }, element("label", { text: "acknowledge" }),
      choice("Acknowledgement", acks, then.ack === true ? "on" : then.ack === false ? "off" : then.ack ? `template ${then.ack}` : "",
        (value) => { then.ack = value.startsWith("template ") ? value.slice(9) : value === "" ? null : value === "on"; changed(); }),
      element("label", {}, go, " rules below are tried as well")));
  }

  function place(draft, value) {
    const then = draft.then, name = then.queue || then.file || queues[0] || "";
    then.queue = value === "queue" ? name : "";
    then.file = value === "file" ? (then.file || "Automated/…") : "";
    if (!value) then.continue = true;
    drawEditor();
    changed();
  }

  function drawText(draft) {
    const area = element("textarea", { "aria-label": "Condition as TOML", rows: "5", spellcheck: "false", class: "toml" });
    area.value = draft.text;
    area.addEventListener("input", () => { draft.text = area.value || "{}"; changed(); });
    editor.append(element("div", { class: "row top" }, element("label", { text: "when" }), area));
  }

  function drawAsks(draft) {
    const join = choice("All or any of the conditions", [["all", "all of these hold"], ["any", "one of these holds"]],
      draft.join, (value) => { draft.join = value; changed(); });
    editor.append(element("div", { class: "row" }, element("label", { text: "when" }), join,
      element("button", { type: "button", text: "Add condition", onclick: () => {
        draft.asks.push({ field: "subject", operator: "contains", values: [], scope: "", negated: false });
        drawEditor();
        focusAsk(draft.asks.length - 1);
        changed();
      } })));
    draft.asks.forEach((ask, n) => editor.append(drawAsk(draft, ask, n)));
    if (!draft.asks.length) editor.append(element("div", { class: "row hint", text: "no condition: it fits every message" }));
  }

  function drawAsk(draft, ask, n) {
    const header = ask.field.startsWith("header.");
    const spec = header ? fields["header.NAME"] : fields[ask.field];
    const not = choice("Not", [["", "is so"], ["not", "is not so"]], ask.negated ? "not" : "",
      (value) => { ask.negated = value === "not"; changed(); });
    const field = choice("Field", Object.keys(fields).map((name) => [name]), header ? "header.NAME" : ask.field, (value) => {
      ask.field = value === "header.NAME" ? "header.X-Mailer" : value;
      ask.operator = fields[value].operators.includes(ask.operator) ? ask.operator : fields[value].operators[0];
      ask.values = []; ask.scope = "";
      drawEditor(); focusAsk(n); changed();
    });
    field.className = "field";
    field.title = spec ? spec.what : "";
    const parts = [field];
    if (header) parts.push(line("Name of the header field", ask.field.slice(7), (value) => { ask.field = `header.${value}`; changed(); },
      { class: "header" }));
    const operators = spec ? spec.operators : [ask.operator];
    const operator = choice("Operator", operators.map((name) => [name, name.replaceAll("_", " ")]), ask.operator, (value) => {
      ask.operator = value; if (value === "exists") ask.values = ["true"]; drawEditor(); focusAsk(n); changed();
    });
    operator.title = words[ask.operator] || "";
    parts.push(operator, ...drawValues(ask, spec));
    if (ask.field === "text") parts.push(choice("Which text", [["", "own words"], ["everything", "with quoted history"]],
      ask.scope, (value) => { ask.scope = value; changed(); }));
    parts.push(not, element("button", { type: "button", class: "drop", "aria-label": "Take this condition out", text: "×",
      onclick: () => { draft.asks.splice(n, 1); drawEditor(); editor.querySelector("select")?.focus(); changed(); } }));
    return element("div", { class: "row ask" }, ...parts);
  }

  function drawValues(ask, spec) {
    const closed = ask.operator === "exists" ? ["true", "false"] : ["is"].includes(ask.operator) ? spec?.values ?? [] : [];
    if (closed.length === 2 && closed[0] === "true") {
      if (!ask.values.length) ask.values = ["true"];
      return [choice("Value", closed.map((name) => [name, name === "true" ? "yes" : "no"]), ask.values[0],
        (value) => { ask.values = [value]; changed(); })];
    }
    if (closed.length) {
      const group = element("span", { class: "closed", role: "group", "aria-label": "Values, one is enough" });
      for (const name of closed) {
        const tick = element("input", { type: "checkbox", "aria-label": name });
        tick.checked = ask.values.includes(name);
        tick.addEventListener("change", () => {
          ask.values = closed.filter((one) => one === name ? tick.checked : ask.values.includes(one)); changed(); });
        group.append(element("label", {}, tick, ` ${name.replaceAll("_", " ")}`));
      }
      return [group];
    }
    const area = element("textarea", { "aria-label": "Values, one a line; one is enough", rows: String(Math.max(1, ask.values.length)),
      class: "values", spellcheck: "false", placeholder: "one a line" });
    area.value = ask.values.join("\n");
    area.addEventListener("input", () => {
      ask.values = area.value.split("\n").filter((value) => value !== "");
      area.rows = Math.max(1, area.value.split("\n").length);
      changed();
    });
    return [area];
  }

  const focusAsk = (n) => editor.querySelectorAll(".ask")[n]?.querySelector("select")?.focus();

  function drawTried() {
    const of = tried ? tried.of : 0, told = tried && tried.faults.length;
    faults.hidden = !told;
    faults.replaceChildren(...(told ? tried.faults.map((text) => element("li", { text })) : []));
    if (!tried || told || !rule()) {
      count.textContent = told ? "not tried: there are faults" : "";
      places.textContent = ""; sample.replaceChildren();
      return;
    }
    const share = of ? ` (${(100 * tried.hits / of).toFixed(1)} %)` : "";
    count.textContent = of ? `${tried.hits.toLocaleString()} of ${of.toLocaleString()} messages fit${share}; ` +
      `the rule decides ${tried.decides.toLocaleString()} of them` : "no messages were given to try it on";
    count.title = `${tried.ms} ms`;
    places.textContent = tried.places.length ? "agents left them in " +
      tried.places.map(([name, many]) => `${name} ${many.toLocaleString()}`).join(", ") : "";
    sample.replaceChildren(...tried.sample.map((row) => element("tr", {}, element("td", { text: row.subject || "(no subject)" }),
      element("td", { text: row.from }), element("td", { text: row.place }))));
  }

  function drawDiff() {
    const lines = tried && tried.diff ? tried.diff.split("\n") : [];
    diff.replaceChildren(...lines.map((text) => element("span", { text: text + "\n", class:
      text.startsWith("+") ? "plus" : text.startsWith("-") ? "minus" : "same" })));
    if (!lines.length) diff.textContent = tried && tried.faults.length ? "faults are in the way" : "nothing changes";
    state.textContent = lines.length ? "not saved yet" : "as saved";
  }

  function choose(n) {
    at = Math.max(0, Math.min(n, drafts.length - 1));
    tried = tried && { ...tried, sample: [], places: [] };
    drawNames(); drawEditor(); look();
  }

  function move(from, to) {
    if (from === to || from < 0 || to < 0 || from >= drafts.length || to >= drafts.length) { drawNames(); return; }
    drafts.splice(to, 0, ...drafts.splice(from, 1));
    at = to;
    tried = tried && { ...tried, reach: [] };
    drawNames(); drawEditor(); changed();
  }

  function add() {
    const taken = new Set(drafts.map((draft) => draft.name));
    let n = drafts.length + 1;
    while (taken.has(`rule ${n}`)) n += 1;
    const fresh = copy(model.get("blank"));
    fresh.name = `rule ${n}`;
    drafts.splice(drafts.length ? at : 0, 0, fresh);
    drawNames(); drawEditor(); changed();
    editor.querySelector(".name")?.select();
  }

  function remove() {
    if (!rule()) return;
    removed.push([at, ...drafts.splice(at, 1)]);
    typed = true;
    choose(at);
  }

  function undo() {
    const last = removed.pop();
    if (!last) return;
    drafts.splice(last[0], 0, last[1]);
    typed = true;
    choose(last[0]);
    names.focus({ preventScroll: true });
  }

  function unanswered() {
    warning.textContent = "The kernel does not answer: it is busy with another cell, or gone. " +
      "Nothing that was changed since the last save is on disk.";
    warning.hidden = false;
    state.textContent = "";
  }

  function post(type) {
    const mine = ++sent;
    waiting = { mine, timer: setTimeout(unanswered, WAIT_MS) };
    clearTimeout(timer);
    // looking takes nothing along: code that has changed the rules meanwhile must not be undone by a form
    const rules = type === "look" ? {} : { rules: drafts, default: fallback };
    if (type !== "look") typed = false;
    try { model.send({ type, seq: mine, at, ...rules }); } catch { /* the timer will say so */ }
  }

  function ask(type) {
    // one at a time: what is typed meanwhile is tried when the answer is there, and a save is not forgotten
    if (waiting) again = again === "save" ? "save" : type;
    else post(type);
  }

  function changed() {
    typed = true;
    clearTimeout(timer);
    timer = setTimeout(() => ask("try"), PAUSE_MS);
  }

  function look() {
    clearTimeout(timer);
    timer = setTimeout(() => ask(typed ? "try" : "look"), PAUSE_MS);
  }

  const save = () => ask("save");

  // code in another cell has changed the rules: what stands in the form is followed, unless somebody types in it
  const followed = () => {
    const theirs = model.get("rules"), place = model.get("default");
    if (typed || waiting || (place === fallback && JSON.stringify(theirs) === JSON.stringify(drafts))) return;
    drafts = copy(theirs);
    fallback = other.value = place;
    at = Math.max(0, Math.min(at, drafts.length - 1));
    drawNames(); drawEditor(); look();
  };
  model.on("change:rules", followed);
  model.on("change:default", followed);

  const heard = (message) => {
    if (!waiting || message.seq !== waiting.mine) return;
    clearTimeout(waiting.timer);
    waiting = null;
    warning.hidden = true;
    if (message.tried) { tried = message.tried; drawNames(); drawTried(); drawDiff(); }
    if (message.saved) state.textContent = `saved in ${message.saved}`;
    state.classList.toggle("bad", Boolean(message.refused));
    if (message.refused) state.textContent = `NOT saved: ${message.refused}`;
    if (again) { const next = again; again = ""; post(next); }
    else followed();
  };
  model.on("msg:custom", heard);

  names.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step && event.altKey) move(at, at + step);
    else if (step) choose(at + step);
    else if (event.key === "Home") choose(0);
    else if (event.key === "End") choose(drafts.length - 1);
    else if (event.key === "Insert" || event.key === "n") add();
    else if (event.key === "Delete") remove();
    else if (event.key === "Enter") editor.querySelector(".name")?.select();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  box.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); save(); }
    else if (event.key === "Escape" && editor.contains(event.target)) names.focus();
    event.stopPropagation(); // no key of the panel is a command of the notebook
  });
  drawNames(); drawEditor(); drawTried(); drawDiff();
  look();
  return () => { model.off("msg:custom", heard); model.off("change:rules", followed); model.off("change:default", followed); clearTimeout(timer); if (waiting) clearTimeout(waiting.timer); };
}

export default { render };
