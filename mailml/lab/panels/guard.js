// JupyterLab reads keys on buttons and sliders of a cell's output as commands ("dd" deletes the cell). Its
// selectors end in ":focus", so the mark must be on the very element that has the focus: it is put there the
// moment the focus comes, for everything inside a panel.
const PANEL = ".mailml-panel";

function keep(event) {
  const node = event.target;
  if (node instanceof HTMLElement && node.closest(PANEL)) node.dataset.lmSuppressShortcuts = "true";
}

function render() {
  document.removeEventListener("focusin", keep, true);
  document.addEventListener("focusin", keep, true);
}

export default { render };
