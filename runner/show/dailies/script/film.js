// The film as the page holds it, what the address says of the state, and elements made of text alone.
let film = JSON.parse(document.getElementById("film").textContent);
const byId = (id) => document.getElementById(id);

function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined) node.append(child);
  return node;
}

const posterAddress = (key) => (key && film.posters[key]) || "";
const shotAt = (id) => film.shots.findIndex((shot) => shot.id === id);
const takesOf = (shot) => shot.takes || [];
const takeOf = (shot, number) => takesOf(shot).find((take) => take.take === number);

/** The take that the film shows of a shot: as the cut says, else the picked one, else the first with a clip. */
function shownTake(shot) {
  const position = film.shots.indexOf(shot);
  const segment = film.cut.find((piece) => piece.shot === position);
  if (segment && takeOf(shot, segment.take)) return segment.take;
  const takes = takesOf(shot);
  const best = takes.find((take) => take.take === shot.picked) || takes.find((take) => take.file) || takes[0];
  return best ? best.take : null;
}

/** Words of a film's time: 1:36, and with tenths 1:36.4. */
function timeText(seconds, tenths) {
  const whole = Math.max(0, tenths ? Math.floor(seconds * 10 + 1e-6) / 10 : Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  const rest = whole - minutes * 60;
  return `${minutes}:${tenths ? rest.toFixed(1).padStart(4, "0") : String(Math.floor(rest)).padStart(2, "0")}`;
}

const secondsText = (seconds) => `${Number(seconds.toFixed(2))} s`;

// -- the state, which a link carries after # --------------------------------------------------------------

const state = { shot: null, take: null, compare: null, at: 0, scene: "", tag: "", state: "", search: "" };

function readAddress() {
  const values = new URLSearchParams(location.hash.slice(1));
  state.shot = shotAt(values.get("shot")) < 0 ? null : values.get("shot");
  state.take = Number(values.get("take")) || null;
  state.compare = values.get("compare") === "animatic" ? "animatic" : Number(values.get("compare")) || null;
  state.at = Math.max(0, Number(values.get("at")) || 0);
  for (const name of ["scene", "tag", "state", "search"]) state[name] = values.get(name) || "";
}

function writeAddress() {
  const values = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (value) values.set(name, name === "at" ? value.toFixed(3) : value);
  }
  const hash = values.size ? `#${values}` : " ";
  if (hash.trim() !== location.hash) history.replaceState(null, "", hash.trim() || location.pathname + location.search);
}

// -- messages -------------------------------------------------------------------------------------------

let toastTimer = 0;

/** Say something in passing; `command` is to be copied. */
function say(text, command) {
  const toast = byId("toast");
  toast.replaceChildren(element("span", {}, text), ...(command ? [element("code", {}, command)] : []));
  toast.classList.add("is-shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("is-shown"), command ? 9000 : 3500);
}
