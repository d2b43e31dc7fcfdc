// The last minutes of one camera: pause, drag along, step from picture to picture, back to live.

import { duration, text } from '/static/words.js';

const LEAST_US = 60_000_000; // what the width stands for, at least
const NOTE_MS = 3000;

export class Timeline {
  #root = document.getElementById('timeline');
  #track = document.getElementById('track');
  #marks = document.getElementById('marks');
  #button = document.getElementById('pause');
  #on;
  #camera = null;
  #now = 0; // of the server's clock, when last told, and then on this machine's
  #toldMs = 0;
  #first = 0;
  #shown = null; // {number, heard_us} of the picture on the stage
  #isPast = false;
  #isAsking = false;
  #wanted = null;
  #noteUntilMs = 0;

  /** Calls on.ask(what) for a picture of before (see Live.past), and on.live() to go back. */
  constructor(on) {
    this.#on = on;
    this.#button.addEventListener('click', () => this.toggle());
    this.#track.addEventListener('input', () => this.#dragged());
    this.#track.addEventListener('keydown', (event) => this.key(event));
    this.#marks.addEventListener('click', ({ target }) => {
      if (target.dataset.at) this.seek({ heard_us: Number(target.dataset.at) });
    });
  }

  get isPast() {
    return this.#isPast;
  }

  /** Begin anew, live, with a camera. */
  begin(camera) {
    this.#camera = camera;
    this.#first = this.#now = 0;
    this.#shown = null;
    this.#marks.replaceChildren();
    this.#leave();
  }

  /** The server said how far back its memory goes. */
  span({ camera, span_us: span, now_us: now }) {
    if (camera !== this.#camera) return;
    this.#now = now;
    this.#toldMs = performance.now();
    this.#first = span ? span[0] : now;
    this.#root.hidden = span === null;
    this.#place();
  }

  /** A picture is on the stage. Of one that was asked for: what was wanted meanwhile is next. */
  shown(frame, isPast) {
    this.#shown = frame;
    if (isPast) this.#answered();
    this.#place();
  }

  /** There was none of what was asked for. */
  gone() {
    this.live();
    this.#noteUntilMs = performance.now() + NOTE_MS;
    this.#place();
  }

  /** Mark alerts: [{heard_us, severity, rule}]. */
  mark(alerts) {
    this.#marks.replaceChildren(...alerts.map(({ heard_us: at, severity, rule }) => {
      const mark = document.createElement('i');
      mark.dataset.at = at;
      mark.dataset.severity = severity;
      mark.title = rule;
      return mark;
    }));
    this.#place();
  }

  toggle() {
    if (this.#isPast) this.live();
    else this.step(0);
  }

  live() {
    this.#leave();
    this.#on.live();
  }

  /** Show the picture so many beside the one that is shown. */
  step(by) {
    if (this.#shown) this.seek({ number: this.#wanted?.number ?? this.#shown.number, step: by });
  }

  /** Show a picture of before. While one is on its way, only the last that is wanted is next. */
  seek(what) {
    this.#isPast = true;
    this.#root.dataset.mode = document.body.dataset.mode = 'past';
    this.#button.setAttribute('aria-pressed', 'true');
    if (this.#isAsking) {
      const steps = what.step && this.#wanted?.step;
      this.#wanted = steps ? { ...what, step: what.step + steps } : what;
      return;
    }
    this.#isAsking = true;
    this.#wanted = null;
    this.#on.ask({ camera: this.#camera, ...what });
  }

  /** Keys that work wherever the focus is; true where one was for the time-line. */
  key(event) {
    const keys = {
      ' ': () => this.toggle(),
      ArrowLeft: () => this.step(event.shiftKey ? -10 : -1),
      ArrowRight: () => this.step(event.shiftKey ? 10 : 1),
      Home: () => this.seek({ heard_us: this.#first }),
      End: () => this.live(),
      l: () => this.live(),
    };
    const act = keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!act || this.#root.hidden) return false;
    event.preventDefault();
    event.stopPropagation();
    if (event.key !== 'ArrowRight' || this.#isPast) act();
    return true;
  }

  /** Let time go on. */
  tick() {
    this.#place();
  }

  #answered() {
    this.#isAsking = false;
    const next = this.#wanted;
    this.#wanted = null;
    if (next && this.#isPast) {
      this.seek('number' in next ? { ...next, number: this.#shown.number } : next);
    }
  }

  #leave() {
    this.#isPast = this.#isAsking = false;
    this.#wanted = null;
    this.#root.dataset.mode = document.body.dataset.mode = 'live';
    this.#button.setAttribute('aria-pressed', 'false');
    this.#place();
  }

  #dragged() {
    const agoMs = Number(this.#track.value);
    if (agoMs === 0) this.live();
    else this.seek({ heard_us: Math.round(this.#nowUs() + agoMs * 1000) });
  }

  #nowUs() {
    return this.#now + (performance.now() - this.#toldMs) * 1000;
  }

  #place() {
    const now = this.#nowUs();
    const width = Math.max(LEAST_US, now - this.#first);
    const age = this.#isPast && this.#shown ? Math.max(0, now - this.#shown.heard_us) : 0;
    this.#track.min = Math.round(-width / 1000);
    if (!this.#isAsking || document.activeElement !== this.#track) {
      this.#track.value = Math.round(-age / 1000);
    }
    const seconds = age / 1e6;
    const past = seconds < 60 ? `${seconds.toFixed(1)} s ago` : `${duration(seconds)} ago`;
    const said = this.#isPast ? past : 'Live';
    this.#track.setAttribute('aria-valuetext', said);
    text('ago', performance.now() < this.#noteUntilMs ? 'not kept any more' : said);
    this.#root.style.setProperty('--known', `${(100 * (now - this.#first)) / width}%`);
    for (const mark of this.#marks.children) {
      const part = 1 - (now - Number(mark.dataset.at)) / width;
      mark.hidden = part < 0;
      mark.style.left = `${part * 100}%`;
    }
  }
}
