// Before anything is drawn: the theme that this person chose, or else the system's.
(() => {
  const KEY = "cipherset-theme";
  let chosen = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {
    return; // a browser that keeps nothing: the system's theme
  }
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
})();
