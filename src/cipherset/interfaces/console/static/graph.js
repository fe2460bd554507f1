// Zooms, moves and searches a drawing: only its viewBox changes, so the server's drawing stays.
const STEP = 1.3;

export function graph(tools) {
  const drawing = document.getElementById(tools.dataset.graphTools);
  const region = drawing.parentElement;
  const all = drawing.viewBox.baseVal;
  const whole = [all.x, all.y, all.width, all.height];
  let box = [...whole];
  const show = () => drawing.setAttribute("viewBox", box.join(" "));
  const zoom = (by) => {
    const [x, y, width, height] = box;
    box = [x + (width - width / by) / 2, y + (height - height / by) / 2, width / by, height / by];
    show();
  };
  const move = (across, down) => {
    box[0] += across * box[2] * 0.15;
    box[1] += down * box[3] * 0.15;
    show();
  };
  const reset = () => {
    box = [...whole];
    show();
  };
  const acts = {
    "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), "0": reset,
    ArrowLeft: () => move(-1, 0), ArrowRight: () => move(1, 0),
    ArrowUp: () => move(0, -1), ArrowDown: () => move(0, 1),
  };
  const button = (name) => tools.querySelector(`[data-graph=${name}]`);
  button("in").addEventListener("click", () => zoom(STEP));
  button("out").addEventListener("click", () => zoom(1 / STEP));
  button("all").addEventListener("click", reset);
  region.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  });
  button("find").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    let n = 0;
    for (const node of drawing.querySelectorAll(".node")) {
      const is = wanted !== "" && node.dataset.name.toLowerCase().includes(wanted);
      node.classList.toggle("found", is);
      n += is ? 1 : 0;
    }
    button("found").textContent = wanted === "" ? "" : `${n} found`;
  });
  tools.hidden = false;
}
