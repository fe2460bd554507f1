// The islands. Without any of them every page and every form works all the same.
import { graph } from "./graph.js";
import { live } from "./live.js";
import { theme } from "./switch.js";

for (const button of document.querySelectorAll("[data-theme-toggle]")) theme(button);
for (const form of document.querySelectorAll("form[data-live]")) live(form);
for (const tools of document.querySelectorAll("[data-graph-tools]")) graph(tools);

// "/" goes to the search field, as people are used to.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.querySelector("form[role=search] input");
  if (field) {
    event.preventDefault();
    field.focus();
  }
});
