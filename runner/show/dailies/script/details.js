// The details of the chosen take: state and what to do, prompts with their changed words, references, notes.
const MOST_WORDS = 900;

function drawDetails() {
  const shot = film.shots[shotAt(state.shot)];
  const details = byId("details");
  if (!shot) {
    details.replaceChildren(element("p", { class: "quiet" }, "There is no shot to show yet."));
    return;
  }
  const take = takeOf(shot, state.take);
  const draft = details.querySelector("textarea");
  const isTyping = draft !== null && document.activeElement === draft && draft.dataset.shot === shot.id;
  const parts = [drawTitle(shot, take), take ? drawTrouble(take) : null, drawPrompt(shot), drawReferences(shot)];
  parts.push(shot.about ? element("section", {}, element("h3", {}, "About"), element("p", {}, shot.about)) : null);
  const notes = drawNotes(shot);
  if (isTyping) notes.querySelector("textarea").replaceWith(draft);
  details.replaceChildren(...parts.filter(Boolean), notes);
  if (isTyping) draft.focus();
}

function drawTitle(shot, take) {
  const facts = [
    ["model", shot.model],
    ["length", shot.clip === shot.seconds ? secondsText(shot.clip) : `${secondsText(shot.seconds)} of a clip of ${secondsText(shot.clip)}`],
  ];
  if (take) {
    if (take.file && take.file.width) facts.push(["picture", `${take.file.width} × ${take.file.height}`]);
    const credits = [take.quoted ? `${take.quoted} quoted` : "", take.billed ? `${take.billed} billed` : ""].filter(Boolean);
    if (credits.length) facts.push(["credits", credits.join(" · ")]);
  }
  const isPicked = take && shot.picked === take.take;
  return element(
    "section",
    { class: "about-take" },
    element(
      "h2",
      {},
      element("span", {}, shot.title || shot.id),
      take && takesOf(shot).length > 1 ? element("span", { class: "quiet" }, ` take ${take.take}`) : null,
      isPicked ? element("span", { class: "mark" }, "picked") : null,
      take && take.state !== "keep" ? element("span", { class: `badge is-${take.state}` }, take.state) : null,
    ),
    element("dl", { class: "pairs" }, facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)))),
    (take && take.about ? take.about : []).map((line) => element("p", { class: "quiet" }, line)),
  );
}

function drawTrouble(take) {
  if (!take.reason && !take.words && !take.way) return null;
  const lines = (take.way || "").split("\n").filter(Boolean);
  return element(
    "section",
    { class: `trouble is-${take.state}` },
    take.reason && take.reason !== take.words ? element("p", {}, take.reason) : null,
    take.words ? element("blockquote", {}, take.words) : null,
    lines.map((line) => (line.startsWith("storyboard ") ? element("pre", {}, line) : element("p", {}, line))),
  );
}

function drawPrompt(shot) {
  const section = element("section", { class: "prompts" }, element("h3", {}, "Prompt"));
  if (!shot.written && !shot.sent) {
    section.append(element("p", { class: "quiet" }, "None: the clip is made from its frames alone."));
  } else if (!shot.sent) {
    section.append(element("p", {}, shot.written));
  } else {
    const words = changedWords(shot.written || "", shot.sent);
    const side = (kind, tag) =>
      element("p", {}, words.filter(([type]) => type === " " || type === kind).map(([type, text]) => (type === " " ? text : element(tag, {}, text))));
    section.append(element("h4", {}, "as written"), side("-", "del"), element("h4", {}, "as sent"), side("+", "ins"));
  }
  return section;
}

/** The words of two texts as [" " | "-" | "+", text]: common ones, those of the first only, those of the second. */
function changedWords(before, after) {
  const split = (text) => (text.match(/\S+\s*/g) || []).slice(0, MOST_WORDS);
  const old = split(before);
  const now = split(after);
  const isSame = (i, j) => old[i].trim() === now[j].trim();
  const same = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      same[i][j] = isSame(i, j) ? same[i + 1][j + 1] + 1 : Math.max(same[i + 1][j], same[i][j + 1]);
    }
  }
  const words = [];
  const push = (kind, text) => {
    if (words.length && words.at(-1)[0] === kind) words.at(-1)[1] += text;
    else words.push([kind, text]);
  };
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && isSame(i, j)) {
      push(" ", now[j]);
      i += 1;
      j += 1;
    } else if (j >= now.length || (i < old.length && same[i + 1][j] >= same[i][j + 1])) {
      push("-", old[i]);
      i += 1;
    } else {
      push("+", now[j]);
      j += 1;
    }
  }
  return words;
}

function drawReferences(shot) {
  if (!shot.references) return null;
  const items = shot.references.map((reference) => {
    const poster = posterAddress(reference.poster);
    return element(
      "li",
      {},
      poster ? element("img", { src: poster, alt: "" }) : element("span", { class: "kind" }, reference.kind),
      element("span", {}, reference.name),
    );
  });
  return element("section", { class: "references" }, element("h3", {}, "Made from"), element("ul", {}, items));
}

function drawNotes(shot) {
  const notes = (shot.notes || []).map((note) =>
    element(
      "li",
      {},
      element("p", {}, note.text),
      element("p", { class: "quiet" }, `take ${note.take} · ${String(note.at).slice(0, 16).replace("T", " ")} UTC`),
    ),
  );
  const area = element("textarea", {
    id: "note",
    rows: "2",
    maxlength: "4000",
    "aria-label": `Note about ${shot.id}`,
    placeholder: film.served ? "A note about this take" : "Notes are kept by a served page",
    on: { keydown: onNoteKey },
  });
  area.dataset.shot = shot.id;
  return element(
    "section",
    { class: "notes" },
    element("h3", {}, "Notes"),
    notes.length ? element("ul", {}, notes) : null,
    area,
    element("p", { class: "quiet hint" }, "Ctrl-Enter keeps a note, Escape does not"),
  );
}
