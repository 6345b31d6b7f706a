// The player: two video elements. One shows the film while the other one loads what comes next, or both show takes in
// step. A piece is {shot, take, file, in, seconds, label, reason, picture, poster}; `segment` is its place in the cut.
const ONE_PICTURE = 1 / 60;
const MOST_PICTURE = 0.084;

class Deck {
  constructor(id, onFrame) {
    this.figure = byId(id);
    this.video = this.figure.querySelector("video");
    this.file = "";
    this.mediaTime = 0;
    this.pictureSeconds = Infinity;
    this.waiters = [];
    const frame = (_, picture) => {
      const seconds = Math.abs(picture.mediaTime - this.mediaTime);
      if (seconds > 0.005) this.pictureSeconds = Math.min(this.pictureSeconds, seconds);
      this.mediaTime = picture.mediaTime;
      this.video.dataset.mediaTime = picture.mediaTime;
      for (const waiter of this.waiters.splice(0)) waiter();
      onFrame(this);
      this.video.requestVideoFrameCallback(frame);
    };
    this.video.requestVideoFrameCallback(frame);
  }

  load(file) {
    if (this.file === file) return;
    this.file = file;
    this.pictureSeconds = Infinity;
    this.video.pause();
    if (file) this.video.src = file;
    else this.video.removeAttribute("src");
    this.video.load();
  }

  caption(name, isAnimatic) {
    this.figure.querySelector(".name").textContent = name;
    this.figure.querySelector(".animatic").hidden = !isAnimatic;
  }

  /** Stand at a time; resolves when its picture is on the screen, or cannot be. */
  async stand(seconds) {
    const { video } = this;
    if (!this.file) return;
    if (video.readyState < 1) await happened(video, ["loadedmetadata", "error"], 4000);
    if (video.error || !Number.isFinite(video.duration)) return;
    const target = Math.min(Math.max(0, seconds), Math.max(0, video.duration - 0.005));
    const picture = new Promise((resolve) => this.waiters.push(resolve));
    video.currentTime = target;
    await happened(video, ["seeked", "error"], 4000);
    await Promise.race([picture, pause(120)]);
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function happened(target, events, milliseconds) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      for (const event of events) target.removeEventListener(event, end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    for (const event of events) target.addEventListener(event, end, { once: true });
  });
}

class Player {
  constructor(onChange) {
    this.onChange = onChange;
    this.decks = [new Deck("deck-1", (deck) => this.onFrame(deck)), new Deck("deck-2", (deck) => this.onFrame(deck))];
    this.front = 0;
    this.piece = null;
    this.other = null;
    this.isPlaying = false;
    this.isRightHeard = false;
    this.slateSeconds = 0;
    this.order = Promise.resolve();
    for (const deck of this.decks) {
      deck.video.addEventListener("ended", () => deck === this.deck && this.isPlaying && this.next());
      deck.video.addEventListener("error", () => deck === this.deck && this.showSlate());
      deck.video.addEventListener("timeupdate", () => this.onFrame(deck));
    }
  }

  get deck() {
    return this.decks[this.front];
  }

  get back() {
    return this.decks[1 - this.front];
  }

  /** The offset in the piece, in seconds. */
  get offset() {
    if (!this.piece) return 0;
    return this.hasVideo ? Math.max(0, this.deck.video.currentTime - (this.piece.in || 0)) : this.slateSeconds;
  }

  get hasVideo() {
    return Boolean(this.piece && this.piece.file && !this.piece.picture && !this.deck.video.error);
  }

  /** Show a piece at an offset, beside `other` where two are compared. */
  async show(piece, offset, other) {
    const wasPlaying = this.isPlaying;
    this.stopClock();
    const isPrepared = piece.file && this.back.file === piece.file && !other && this.deck.file !== piece.file;
    if (isPrepared) this.front = 1 - this.front;
    if (isPrepared || !other) this.back.video.pause();
    this.piece = piece;
    this.other = other || null;
    this.slateSeconds = offset;
    this.deck.load(piece.file && !piece.picture ? piece.file : "");
    this.deck.caption(pieceName(piece), isAnimatic(piece));
    if (other) {
      this.back.load(other.file);
      this.back.caption(pieceName(other), isAnimatic(other));
    }
    this.draw();
    await this.seek(offset);
    if (wasPlaying && this.piece === piece) await this.play();
  }

  /** Go to an offset in the piece; one after the other. */
  seek(offset) {
    this.order = this.order.then(() => this.standAt(offset));
    return this.order;
  }

  async standAt(offset) {
    const { piece, other } = this;
    if (!piece) return;
    this.slateSeconds = offset;
    if (this.hasVideo) {
      const time = (piece.in || 0) + offset;
      if (!other) {
        await this.deck.stand(time);
      } else {
        this.deck.video.pause();
        this.back.video.pause();
        await Promise.all([this.deck.stand(time), this.back.stand(time)]);
        await this.align();
        if (this.isPlaying) await this.start();
      }
    }
    this.onChange("time");
  }

  /** Bring the second take to the picture that the first one shows. */
  async align() {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (Math.abs(this.deck.mediaTime - this.back.mediaTime) < 0.002) return;
      await this.back.stand(this.deck.mediaTime + 0.002);
    }
  }

  async play() {
    if (!this.piece) return;
    this.isPlaying = true;
    if (this.offset >= this.piece.seconds - 0.05 && this.other) await this.seek(0);
    await this.start();
    this.onChange("playing");
  }

  async start() {
    if (!this.hasVideo) {
      this.startClock();
      return;
    }
    const decks = this.other ? [this.deck, this.back] : [this.deck];
    this.deck.video.muted = Boolean(this.other && this.isRightHeard);
    this.back.video.muted = !(this.other && this.isRightHeard);
    try {
      await Promise.all(decks.map((deck) => deck.video.play()));
    } catch (error) {
      if (error.name === "NotAllowedError") this.pause();
    }
    if (!this.other) this.prepare();
  }

  pause() {
    this.isPlaying = false;
    this.stopClock();
    for (const deck of this.decks) deck.video.pause();
    this.onChange("playing");
    if (this.other) this.seek(this.offset);
  }

  toggle() {
    return this.isPlaying ? this.pause() : this.play();
  }

  /** Play on with the next piece of the film. */
  async next() {
    const following = this.piece && this.piece.segment !== undefined ? film.cut[this.piece.segment + 1] : undefined;
    if (this.other || !following) {
      this.pause();
      return;
    }
    const piece = pieceOf(this.piece.segment + 1);
    this.onChange("piece", piece);
    await this.show(piece, 0);
  }

  /** Load the next piece on the other deck, so that the film goes on without a gap. */
  prepare() {
    if (this.piece.segment === undefined || !film.cut[this.piece.segment + 1]) return;
    const piece = pieceOf(this.piece.segment + 1);
    if (!piece.file || piece.picture || piece.file === this.deck.file) return;
    this.back.load(piece.file);
    this.back.video.muted = true;
    if (piece.in && this.back.video.readyState < 1) {
      this.back.video.addEventListener("loadedmetadata", () => (this.back.video.currentTime = piece.in), { once: true });
    }
  }

  /** One picture on or back, however many the clip has a second. */
  async step(direction) {
    if (this.isPlaying) this.pause();
    if (!this.hasVideo) return;
    await this.order;
    const before = this.deck.mediaTime;
    if (direction < 0) return this.seek(Math.max(0, before - 0.002 - (this.piece.in || 0)));
    const distance = Math.min(MOST_PICTURE, this.deck.pictureSeconds) * 1.2;
    for (let part = distance > MOST_PICTURE ? 1 : 0; part <= 8; part += 1) {
      await this.seek(before + (part ? part * ONE_PICTURE + 0.001 : distance) - (this.piece.in || 0));
      if (this.deck.mediaTime > before + 0.001) return;
    }
  }

  hearOther() {
    this.isRightHeard = !this.isRightHeard;
    this.deck.video.muted = this.isRightHeard;
    this.back.video.muted = !this.isRightHeard;
    this.onChange("playing");
  }

  onFrame(deck) {
    if (deck !== this.deck || !this.piece) return;
    this.onChange("time");
    if (!this.isPlaying || !this.hasVideo) return;
    if (this.other) this.keepStep();
    const end = (this.piece.in || 0) + this.piece.seconds;
    if (deck.video.currentTime >= end - 0.02 && !deck.video.ended) this.next();
  }

  /** Hold the second take at the first one's pace. */
  keepStep() {
    const behind = this.deck.mediaTime - this.back.mediaTime;
    const { video } = this.back;
    if (Math.abs(behind) > 0.4) video.currentTime = this.deck.video.currentTime;
    video.playbackRate = Math.abs(behind) > 0.03 ? Math.min(1.5, Math.max(0.6, 1 + behind * 2)) : 1;
  }

  startClock() {
    this.stopClock();
    let before = performance.now();
    const tick = (now) => {
      this.slateSeconds += (now - before) / 1000;
      before = now;
      this.onChange("time");
      if (this.slateSeconds >= this.piece.seconds) this.next();
      else this.clock = requestAnimationFrame(tick);
    };
    this.clock = requestAnimationFrame(tick);
  }

  stopClock() {
    cancelAnimationFrame(this.clock);
  }

  showSlate() {
    this.draw();
    if (this.isPlaying) this.startClock();
  }

  draw() {
    const { piece } = this;
    byId("screen").classList.toggle("is-compared", Boolean(this.other));
    for (const deck of this.decks) deck.figure.hidden = !(deck === this.deck ? this.hasVideo : this.other);
    this.deck.figure.style.order = 1;
    this.back.figure.style.order = 2;
    byId("slate").hidden = this.hasVideo;
    if (this.hasVideo) return;
    const still = byId("still");
    still.hidden = !piece.picture;
    if (piece.picture) still.src = piece.file;
    byId("slate").classList.toggle("is-picture", Boolean(piece.picture));
    byId("slate-name").textContent = pieceName(piece);
    byId("slate-reason").textContent = this.deck.video.error ? "its clip cannot be played" : piece.reason || "";
  }
}

/** A piece of the cut, with the place that it has there. */
function pieceOf(segment) {
  return { ...film.cut[segment], segment };
}

/** The piece that shows a take of a shot: in the film's own range where the shot is in the film. */
function pieceOfTake(shot, number) {
  const position = film.shots.indexOf(shot);
  const segment = film.cut.findIndex((piece) => piece.shot === position);
  if (segment >= 0 && film.cut[segment].take === number) return pieceOf(segment);
  const base = segment >= 0 ? pieceOf(segment) : { shot: position, in: shot.in || 0, seconds: shot.seconds };
  const take = takeOf(shot, number);
  const start = base.in || 0;
  if (!take || !take.file) {
    return { ...base, take: number, file: undefined, reason: take ? take.reason : "no such take" };
  }
  const length = (take.file.seconds || shot.clip) - start;
  const isWhole = shot.out === undefined;
  return { ...base, take: number, file: take.file.address, seconds: isWhole ? length : Math.min(base.seconds, length) };
}

function pieceName(piece) {
  if (piece.shot === undefined) return piece.label || "";
  const shot = film.shots[piece.shot];
  if (piece.isAnimatic) return shot.id;
  return takesOf(shot).length > 1 && piece.take ? `${shot.id}  take ${piece.take}` : shot.id;
}

const isAnimatic = (piece) => Boolean(piece.isAnimatic || (film.animatics && piece.shot !== undefined && piece.file));
