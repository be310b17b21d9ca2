// What every panel of plain widgets needs from the page: its keys stay its own, and a kernel that is gone is told.
const PANEL = ".mailml-panel";
const WAIT_MS = 3000; // a kernel that has not answered by then is not there, or at work on a long cell
const GONE = "The kernel does not answer: it is busy with another cell, or gone. What is said here from now on " +
  "is NOT saved until it answers again; if it was restarted, run this cell again.";

// JupyterLab reads keys on buttons and sliders of a cell's output as commands ("dd" deletes the cell). Its
// selectors end in ":focus", so the mark must be on the very element that has the focus: it is put there the
// moment the focus comes, for everything inside a panel.
function keep(event) {
  const node = event.target;
  if (node instanceof HTMLElement && node.closest(PANEL)) node.dataset.lmSuppressShortcuts = "true";
}

function render({ model, el }) {
  document.removeEventListener("focusin", keep, true);
  document.addEventListener("focusin", keep, true);

  const warning = document.createElement("p");
  warning.className = "mailml-gone";
  warning.setAttribute("role", "alert");
  warning.hidden = true;
  el.append(warning);
  let asked = 0, timer = 0;

  // Every click and every change asks the kernel for a sign of life: plain widgets send what was said and never
  // look whether it was heard.
  const ask = (event) => {
    const panel = el.closest(PANEL);
    if (!panel || !panel.contains(event.target) || timer) return;
    asked += 1;
    timer = setTimeout(() => { timer = 0; warning.textContent = GONE; warning.hidden = false; }, WAIT_MS);
    try { model.send({ alive: asked }); } catch { /* the timer will say so */ }
  };
  const heard = (message) => {
    if (message.alive !== asked) return;
    clearTimeout(timer);
    timer = 0;
    warning.hidden = true;
  };
  const events = ["click", "change", "keydown"];
  for (const name of events) document.addEventListener(name, ask, true);
  model.on("msg:custom", heard);
  return () => {
    for (const name of events) document.removeEventListener(name, ask, true);
    model.off("msg:custom", heard);
    clearTimeout(timer);
  };
}

export default { render };
