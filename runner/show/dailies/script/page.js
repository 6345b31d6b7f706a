// The page: choosing and picking, the keys with their help, and news from the server.
const player = new Player(onPlayer);
let version = "";

function choose(id, number, options) {
  const { offset = 0, focus = true, compare = null, scroll = true } = options || {};
  const shot = film.shots[shotAt(id)];
  if (!shot) return Promise.resolve();
  state.shot = id;
  state.take = takeOf(shot, number) ? number : shownTake(shot);
  state.compare = compare;
  state.at = offset;
  markChosen();
  drawDetails();
  const card = cards.get(id);
  if (focus) card.focus({ preventScroll: true });
  if (scroll) card.scrollIntoView({ block: "nearest" });
  writeAddress();
  return player.show(pieceOfTake(shot, state.take), offset, otherPiece(shot)).then(() => drawStage());
}

/** The piece that stands beside the chosen take. */
function otherPiece(shot) {
  if (state.compare === null) return null;
  if (state.compare === "animatic" && shot.animatic) {
    return { ...pieceOfTake(shot, state.take), file: shot.animatic.address, isAnimatic: true };
  }
  const take = takeOf(shot, state.compare);
  if (!take || !take.file || take.take === state.take) state.compare = null;
  return state.compare === null ? null : pieceOfTake(shot, take.take);
}

/** Compare the take with the next one that has a clip, then with the animatic, then with none. */
function compareNext() {
  const shot = film.shots[shotAt(state.shot)];
  const take = shot && takeOf(shot, state.take);
  if (!take || !take.file) return say("This take has no clip to compare.");
  const others = takesOf(shot).filter((other) => other.file && other.take !== state.take).map((other) => other.take);
  if (shot.animatic) others.push("animatic");
  if (!others.length) return say(`${shot.id} has no other clip to compare with.`);
  const next = others[others.indexOf(state.compare) + 1];
  player.pause();
  return choose(shot.id, state.take, { offset: player.offset, compare: next === undefined ? null : next });
}

function move(direction) {
  const visible = visibleShots();
  if (!visible.length) return;
  const position = visible.findIndex((shot) => shot.id === state.shot);
  const shot = visible[Math.min(visible.length - 1, Math.max(0, position < 0 ? 0 : position + direction))];
  choose(shot.id);
}

function moveTake(direction) {
  const shot = film.shots[shotAt(state.shot)];
  if (!shot) return;
  const takes = takesOf(shot);
  const position = takes.findIndex((take) => take.take === state.take);
  const take = takes[Math.min(takes.length - 1, Math.max(0, position + direction))];
  if (take) choose(shot.id, take.take);
}

// -- picks and notes -----------------------------------------------------------------------------------

async function pick(number) {
  const shot = film.shots[shotAt(state.shot)];
  if (!shot) return;
  if (number !== null && !takeOf(shot, number)) {
    say(`${shot.id} has no take ${number}.`);
    return;
  }
  if (number !== null) choose(shot.id, number);
  if (!film.served) {
    say("A page from disk keeps nothing. To pick:", `storyboard pick ${film.slug}:${shot.id} ${number === null ? "none" : number}${film.profile ? ` --profile ${film.profile}` : ""}`);
    return;
  }
  if (await send("pick", { shot: shot.id, take: number })) {
    say(number === null ? `No take of ${shot.id} is picked.` : `Take ${number} of ${shot.id} is picked.`);
  }
}

async function onNoteKey(event) {
  const area = event.currentTarget;
  event.stopPropagation();
  if (event.key === "Escape") {
    area.value = "";
    cards.get(state.shot).focus();
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    const text = area.value.trim();
    if (!text) return;
    if (!film.served) {
      say("A page from disk keeps no notes. To keep them:", `storyboard dailies ${film.storyboard} --serve`);
    } else if (await send("note", { shot: area.dataset.shot, take: state.take, text })) {
      area.value = "";
      cards.get(state.shot).focus();
      say("The note is in the manifest.");
    }
  }
}

/** Send a decision; what the program says against it is shown. */
async function send(what, body) {
  try {
    const answer = await fetch(`/film/${film.slug}/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) {
      const problem = await answer.json().catch(() => ({ problem: `the server answered ${answer.status}` }));
      const [first, ...rest] = String(problem.problem).split("\n");
      say(first, rest.map((line) => line.trim()).join(" ") || undefined);
      return false;
    }
  } catch {
    banner("The server has ended: nothing was kept. Start it again with storyboard dailies … --serve");
    return false;
  }
  await readNews();
  return true;
}

// -- news from the server ------------------------------------------------------------------------------

async function readNews() {
  const answer = await fetch(`/film/${film.slug}/data?version=${version}`, { cache: "no-store" });
  if (answer.status === 503) banner((await answer.json()).problem);
  else if (answer.ok) banner("");
  if (answer.status !== 200) return;
  version = answer.headers.get("x-version") || "";
  renew(await answer.json());
}

async function watch() {
  for (;;) {
    await pause(document.hidden ? 2000 : 450);
    try {
      await readNews();
    } catch {
      banner("The server has ended: this page shows the film as it was. Start it again with storyboard dailies … --serve");
    }
  }
}

function banner(text) {
  const node = byId("banner");
  if (node.textContent !== text) node.textContent = text;
  node.hidden = !text;
}

/** Take in the film as it is now; what did not change keeps its place and its focus. */
function renew(after) {
  const before = film;
  film = after;
  const names = (value) => JSON.stringify(value.shots.map((shot) => [shot.id, shot.scene]));
  const hasFocus = document.activeElement && document.activeElement.closest(".shot");
  if (names(before) !== names(after)) {
    drawShots();
  } else {
    film.shots.forEach((shot, position) => {
      const old = cards.get(shot.id);
      if (old.dataset.content === JSON.stringify(shot)) return;
      const card = drawShot(shot, position);
      old.replaceWith(card);
      cards.set(shot.id, card);
    });
  }
  drawFacts();
  drawFilters();
  if (shotAt(state.shot) < 0) state.shot = film.shots.length ? film.shots[0].id : null;
  const shot = film.shots[shotAt(state.shot)];
  if (shot && !takeOf(shot, state.take)) state.take = shownTake(shot);
  markChosen();
  applyFilters();
  drawDetails();
  if (hasFocus && cards.get(state.shot)) cards.get(state.shot).focus({ preventScroll: true });
  const piece = shot && pieceOfTake(shot, state.take);
  if (piece && !player.isPlaying && (!player.piece || player.piece.file !== piece.file)) {
    choose(state.shot, state.take, { focus: false, compare: state.compare, scroll: false });
  }
  drawStage();
}

// -- what is drawn once and changes little --------------------------------------------------------------

function drawFacts() {
  byId("source").replaceChildren(
    element("span", {}, film.storyboard),
    element("span", { class: "chip" }, film.provider),
    film.animatics ? element("span", { class: "animatic" }, "animatics, drawn by the sandbox") : "",
  );
  byId("facts").replaceChildren(
    ...film.facts.map(([name, value]) => element("div", { class: isOff(name) ? "is-off" : "" }, element("dt", {}, name), element("dd", {}, value))),
  );
  byId("films").hidden = !film.films;
  byId("films").replaceChildren(
    ...(film.films || []).map((slug) => element("a", { href: `/film/${slug}`, "aria-current": slug === film.slug ? "page" : null }, slug)),
  );
}

/** Whether the film's length is off by more than a tenth of what is wanted. */
const isOff = (name) => name === "film" && Boolean(film.wanted) && Math.abs(film.seconds - film.wanted) > film.wanted / 10;

function drawStage() {
  byId("play").classList.toggle("is-playing", player.isPlaying);
  byId("play").setAttribute("aria-label", player.isPlaying ? "Pause" : "Play");
  byId("compare").setAttribute("aria-pressed", String(Boolean(player.other)));
  byId("sound").hidden = !player.other;
  byId("sound").textContent = player.isRightHeard ? "Hear left" : "Hear right";
  const place = byId("place");
  place.max = film.seconds || 1;
  const names = { shot: "var(--strip)", missing: "var(--strip-missing)", slate: "var(--strip-slate)" };
  const stops = [];
  let at = 0;
  film.cut.forEach((piece, position) => {
    const color = piece.file ? names.shot : piece.shot === undefined ? names.slate : names.missing;
    const [from, to] = [(at / film.seconds) * 100, ((at + piece.seconds) / film.seconds) * 100];
    const gap = position ? Math.min(0.25, (to - from) / 4) : 0;
    if (gap) stops.push(`var(--surface) ${from}% ${from + gap}%`);
    stops.push(`${color} ${from + gap}% ${to}%`);
    at += piece.seconds;
  });
  place.parentElement.style.background = stops.length ? `linear-gradient(90deg, ${stops.join(", ")})` : "";
  drawTime();
}

const startOf = (segment) => film.cut.slice(0, segment).reduce((sum, piece) => sum + piece.seconds, 0);

function drawTime() {
  const { piece } = player;
  const start = piece && piece.segment !== undefined ? startOf(piece.segment) : 0;
  const now = start + (piece ? player.offset : 0);
  if (document.activeElement !== byId("place") || player.isPlaying) byId("place").value = now;
  byId("place").setAttribute("aria-valuetext", `${timeText(now, true)} of ${film.length}`);
  byId("clock").replaceChildren(piece ? timeText(now, true) : "", piece ? element("span", {}, ` / ${film.length}`) : "");
}

let addressTimer = 0;

function onPlayer(change, piece) {
  if (change === "piece") {
    const shot = piece.shot === undefined ? null : film.shots[piece.shot];
    if (shot) {
      Object.assign(state, { shot: shot.id, take: piece.take, compare: null, at: 0 });
      markChosen();
      drawDetails();
      cards.get(shot.id).scrollIntoView({ block: "nearest" });
    }
  } else if (change === "playing") {
    drawStage();
  }
  drawTime();
  state.at = player.offset;
  clearTimeout(addressTimer);
  addressTimer = setTimeout(writeAddress, 250);
}

/** Go to a place in the film. */
function goTo(seconds) {
  let start = 0;
  let segment = 0;
  while (segment < film.cut.length - 1 && start + film.cut[segment].seconds <= seconds) {
    start += film.cut[segment].seconds;
    segment += 1;
  }
  const offset = Math.max(0, seconds - start);
  if (player.piece && player.piece.segment === segment) return player.seek(offset);
  const piece = film.cut[segment];
  if (!piece) return undefined;
  if (piece.shot !== undefined) return choose(film.shots[piece.shot].id, piece.take, { offset, focus: false });
  return player.show(pieceOf(segment), offset).then(drawStage);
}

/** On a narrow screen the details are shown on demand. */
function showDetails() {
  const isShown = byId("details").classList.toggle("is-shown");
  byId("about").setAttribute("aria-expanded", String(isShown));
}

// -- keys -----------------------------------------------------------------------------------------------

const KEYS = [
  { keys: ["j"], name: "j", does: "next shot", run: () => move(1) },
  { keys: ["k"], name: "k", does: "previous shot", run: () => move(-1) },
  { keys: ["l"], name: "l", does: "next take", run: () => moveTake(1) },
  { keys: ["h"], name: "h", does: "previous take", run: () => moveTake(-1) },
  { keys: [" "], name: "space", does: "play the film from here, or pause", run: () => player.toggle() },
  { keys: [","], name: ",", does: "one picture back", run: () => player.step(-1) },
  { keys: ["."], name: ".", does: "one picture on", run: () => player.step(1) },
  { keys: [..."123456789"], name: "1 – 9", does: "pick this take", run: (key) => pick(Number(key)) },
  { keys: ["0"], name: "0", does: "pick none", run: () => pick(null) },
  { keys: ["c"], name: "c", does: "compare with the next take, the animatic, none", run: compareNext },
  { keys: ["n"], name: "n", does: "write a note: Ctrl-Enter keeps it, Escape does not", run: writeNote },
  { keys: ["/"], name: "/", does: "search", run: () => byId("search").focus() },
  { keys: ["?"], name: "?", does: "these keys", run: () => byId("help").showModal() },
];

function writeNote() {
  if (!byId("note")) return;
  if (getComputedStyle(byId("details")).display === "none") showDetails();
  byId("note").focus();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || byId("help").open) return;
  const { target } = event;
  if (target.closest("textarea, input[type=search], select")) {
    if (event.key === "Escape" && cards.get(state.shot)) cards.get(state.shot).focus();
    return;
  }
  if (event.key === " " && target.closest("button, a")) return;
  const entry = KEYS.find(({ keys }) => keys.includes(event.key));
  if (!entry) return;
  event.preventDefault();
  entry.run(event.key);
}

function start() {
  readAddress();
  drawFacts();
  drawFilters();
  drawShots();
  byId("help-keys").replaceChildren(
    ...KEYS.map(({ name, does }) => element("div", {}, element("dt", {}, element("kbd", {}, name)), element("dd", {}, does))),
  );
  const press = { previous: () => move(-1), play: () => player.toggle(), next: () => move(1), back: () => player.step(-1) };
  Object.assign(press, { forward: () => player.step(1), compare: compareNext, sound: () => player.hearOther() });
  Object.assign(press, { keys: () => byId("help").showModal(), about: showDetails });
  for (const [id, run] of Object.entries(press)) byId(id).addEventListener("click", run);
  byId("place").addEventListener("input", (event) => goTo(Number(event.target.value)));
  for (const id of ["scene", "tag", "state", "search"]) {
    byId(id).addEventListener("input", (event) => {
      state[id] = event.target.value;
      applyFilters();
    });
  }
  byId("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    const first = visibleShots()[0];
    if (first) choose(first.id);
  });
  document.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", () => {
    readAddress();
    restore();
  });
  byId("shots").addEventListener("focusin", (event) => {
    const card = event.target.closest(".shot");
    if (card && card === event.target && card.dataset.shot !== state.shot) choose(card.dataset.shot, undefined, { focus: false });
  });
  byId("shots").addEventListener("click", (event) => {
    const card = event.target.closest(".shot");
    if (card && !event.target.closest(".take") && !String(getSelection())) choose(card.dataset.shot);
  });
  restore();
  if (film.served) watch();
}

/** Stand where the address says, else at the first shot. */
function restore() {
  drawFilters();
  applyFilters();
  const first = visibleShots()[0];
  const { shot, take, compare, at } = state;
  if (shot) choose(shot, take, { offset: at, compare });
  else if (first) choose(first.id, undefined, { scroll: false });
  else drawDetails();
  drawStage();
}

start();
