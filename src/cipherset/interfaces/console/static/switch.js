// A button that goes between light and dark, and remembers which.
const KEY = "cipherset-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function now() {
  return document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light");
}

export function theme(button) {
  const say = () => {
    const other = now() === "dark" ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const other = now() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = other;
    try {
      localStorage.setItem(KEY, other);
    } catch {
      // not remembered, but switched
    }
    say();
  });
  system.addEventListener("change", say);
  say();
}
