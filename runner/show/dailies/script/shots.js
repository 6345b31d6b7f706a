// The shots: a card each, in film order under their scenes, and the filters above.
const STATE_NAMES = { keep: "keep (made)", unsettled: "unsettled", make: "make (no clip yet)" };
const cards = new Map();

function drawShots() {
  const list = byId("shots");
  cards.clear();
  const sections = [];
  let scene;
  film.shots.forEach((shot, position) => {
    const card = drawShot(shot, position);
    cards.set(shot.id, card);
    if (!sections.length || shot.scene !== scene) {
      scene = shot.scene;
      const heading = element("h2", { class: scene ? "" : "is-unnamed" }, scene || "Shots");
      sections.push({ heading, list: element("ol", {}), seconds: 0 });
    }
    const section = sections.at(-1);
    section.seconds += shot.seconds || 0;
    section.list.append(element("li", {}, card));
  });
  list.replaceChildren(
    ...sections.map((section) => {
      section.heading.append(element("span", {}, timeText(section.seconds)));
      return element("section", { class: "scene" }, section.heading, section.list);
    }),
  );
}

function drawShot(shot, position) {
  const id = `shot-${position}`;
  const isInFilm = film.cut.some((piece) => piece.shot === position);
  const facts = [
    element("span", { class: "seconds" }, secondsText(shot.seconds || shot.clip)),
    isInFilm ? null : element("span", { class: "chip" }, "not in the cut"),
    (shot.tags || []).map((tag) => element("span", { class: "chip" }, tag)),
    (shot.notes || []).length ? element("span", { class: "chip is-note" }, count(shot.notes.length, "note")) : null,
  ];
  const name = element("h3", { id }, element("span", { class: "id" }, shot.id), shot.title ? ` ${shot.title}` : null);
  const several = takesOf(shot).length > 1;
  const card = element(
    "article",
    { class: several ? "shot" : "shot is-single", "aria-labelledby": id, tabindex: "-1" },
    element("div", { class: "shot-head" }, name, element("p", { class: "shot-facts" }, facts)),
    element(
      "div",
      { class: "takes", role: "group", "aria-label": `Takes of ${shot.id}` },
      takesOf(shot).map((take) => drawTake(shot, take)),
    ),
    shot.own || shot.written ? element("p", { class: "prompt" }, shot.own || shot.written) : null,
  );
  card.dataset.shot = shot.id;
  card.dataset.content = JSON.stringify(shot);
  return card;
}

function drawTake(shot, take) {
  const isPicked = shot.picked === take.take;
  const poster = take.file && posterAddress(take.file.poster);
  const hasClip = Boolean(take.file);
  const word = hasClip && take.state === "keep" ? "" : take.state === "keep" ? "elsewhere" : take.state;
  const label = [`take ${take.take}`, isPicked ? "picked" : "", take.retake ? "retake" : "", word, hasClip ? "" : take.reason];
  const frame = poster
    ? element("img", { src: poster, alt: "", loading: "lazy", decoding: "async" })
    : element("span", { class: "empty" }, hasClip ? "" : take.reason || take.state);
  const price = take.billed || take.quoted;
  const button = element(
    "button",
    {
      type: "button",
      class: `take is-${take.state}${isPicked ? " is-picked" : ""}${hasClip ? "" : " is-missing"}`,
      "aria-label": [shot.id, ...label].filter(Boolean).join(", "),
      "aria-pressed": "false",
      tabindex: "-1",
      on: { click: () => choose(shot.id, take.take) },
    },
    element(
      "span",
      { class: "frame" },
      frame,
      film.animatics && hasClip ? element("span", { class: "animatic" }, "animatic") : null,
    ),
    element(
      "span",
      { class: "caption" },
      element("span", { class: "number" }, String(take.take)),
      isPicked ? element("span", { class: "mark" }, "picked") : null,
      take.retake && !isPicked ? element("span", { class: "quiet" }, "retake") : null,
      word ? element("span", { class: "word" }, word) : null,
      price && price !== "0" ? element("span", { class: "price" }, price) : null,
    ),
  );
  button.dataset.take = take.take;
  return button;
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Mark the chosen shot and take; only the chosen shot's parts are reached by Tab. */
function markChosen() {
  for (const card of document.querySelectorAll(".shot.is-chosen")) {
    if (card.dataset.shot === state.shot) continue;
    card.classList.remove("is-chosen");
    card.removeAttribute("aria-current");
    card.tabIndex = -1;
    for (const button of card.querySelectorAll(".take")) {
      button.tabIndex = -1;
      button.setAttribute("aria-pressed", "false");
    }
  }
  const card = cards.get(state.shot);
  if (!card) return;
  card.classList.add("is-chosen");
  card.setAttribute("aria-current", "true");
  card.tabIndex = 0;
  for (const button of card.querySelectorAll(".take")) {
    button.tabIndex = 0;
    button.setAttribute("aria-pressed", String(Number(button.dataset.take) === state.take));
  }
}

// -- filters --------------------------------------------------------------------------------------------

function drawFilters() {
  const values = (list) => [...new Set(list)].sort((a, b) => a.localeCompare(b));
  const options = (select, all, names, words) => {
    const chosen = state[select];
    byId(select).replaceChildren(
      element("option", { value: "" }, all),
      ...names.map((name) => element("option", { value: name, selected: name === chosen }, words ? words[name] || name : name)),
    );
    byId(select).value = chosen;
    byId(select).hidden = !names.length;
  };
  const scenes = [...new Set(film.shots.map((shot) => shot.scene).filter(Boolean))];
  options("scene", "All scenes", scenes);
  options("tag", "All tags", values(film.shots.flatMap((shot) => shot.tags || [])));
  const states = values(film.shots.flatMap((shot) => takesOf(shot).map((take) => take.state)));
  options("state", "All states", states, STATE_NAMES);
  byId("search").value = state.search;
}

function isVisible(shot) {
  if (state.scene && shot.scene !== state.scene) return false;
  if (state.tag && !(shot.tags || []).includes(state.tag)) return false;
  if (state.state && !takesOf(shot).some((take) => take.state === state.state)) return false;
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const text = [shot.id, shot.title, shot.scene, shot.written, shot.sent, ...(shot.tags || [])].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

const visibleShots = () => film.shots.filter(isVisible);

function applyFilters() {
  const visible = new Set(visibleShots().map((shot) => shot.id));
  for (const [id, card] of cards) card.parentElement.hidden = !visible.has(id);
  for (const section of document.querySelectorAll(".scene")) {
    section.hidden = ![...section.querySelectorAll("li")].some((item) => !item.hidden);
  }
  const all = film.shots.length;
  byId("count").textContent = visible.size === all ? count(all, "shot") : `${visible.size} of ${count(all, "shot")}`;
  const nothing = byId("nothing");
  nothing.hidden = visible.size > 0;
  nothing.textContent = all ? "No shot fits these filters." : "This film has no shot.";
  writeAddress();
}
