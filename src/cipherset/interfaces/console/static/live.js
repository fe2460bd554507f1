// A form whose answer is shown in its place: the server sends the same part that it would put into
// a page, with every value escaped there; a script in it would not run (innerHTML, and the policy).
export function live(form) {
  const result = document.getElementById(form.dataset.live);
  const button = form.querySelector("button[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    result.setAttribute("aria-busy", "true");
    result.textContent = form.dataset.liveWait ?? "Working …";
    try {
      const fields = new URLSearchParams(new FormData(form, event.submitter));
      fields.set("part", "1");
      const answer = await fetch(form.action, { method: "POST", body: fields });
      if (answer.ok) {
        result.innerHTML = await answer.text();
      } else {
        const said = (await answer.json()).error;
        result.textContent = `${said.message}. ${said.hint}`;
      }
    } catch {
      result.textContent = "The server cannot be reached.";
    } finally {
      button.removeAttribute("aria-disabled");
      result.removeAttribute("aria-busy");
    }
  });
}
