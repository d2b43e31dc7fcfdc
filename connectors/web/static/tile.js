// One camera on the wall.

import { Colours } from '/static/identities.js';
import { described, objectsOf, paintBars } from '/static/paint.js';
import { ailing, condition, isStill, part, whyStill, write } from '/static/words.js';

export class Tile {
  #button = part('button', 'tile');
  #canvas = part('canvas');
  #context = this.#canvas.getContext('2d', { alpha: false });
  #rate = part('span', 'rate');
  #trouble = part('span', 'trouble');
  #colours = new Colours();
  #camera;
  #seen = '';
  #shownMs = 0;

  constructor(camera, choose) {
    this.#camera = camera;
    this.entry = part('li');
    this.entry.dataset.camera = camera;
    this.#button.type = 'button';
    this.#button.dataset.state = 'waiting';
    this.#button.dataset.empty = '';
    this.#button.addEventListener('click', choose);
    const foot = part('span', 'foot');
    foot.append(part('i', 'dot'), part('span', 'name', camera), this.#rate);
    this.#button.append(this.#canvas, this.#trouble, foot);
    this.entry.append(this.#button);
    new ResizeObserver(() => this.#fit()).observe(this.#canvas);
    this.tell(undefined, false);
  }

  get width() {
    return this.#canvas.width;
  }

  focus() {
    this.#button.focus();
  }

  /** Draw a picture and what was seen in it. */
  show(frame, bitmap) {
    const { width, height } = this.#canvas;
    const [frameHeight, frameWidth] = frame.size;
    const scale = Math.min(width / frameWidth, height / frameHeight);
    const objects = objectsOf(frame, this.#colours);
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    const [left, top] = [(width - frameWidth * scale) / 2, (height - frameHeight * scale) / 2];
    if (left > 0.5 || top > 0.5) context.clearRect(0, 0, width, height);
    context.drawImage(bitmap, left, top, frameWidth * scale, frameHeight * scale);
    paintBars(context, objects, scale, left, top);
    delete this.#button.dataset.empty;
    this.#button.dataset.seq = frame.seq;
    this.#seen = described(objects);
    this.#shownMs = performance.now();
  }

  /** Say how the camera is. */
  tell(stats, alarmed) {
    const [kind, words] = condition(stats);
    const still = isStill(stats, this.#shownMs);
    const trouble = still || !this.#shownMs ? whyStill(stats, this.#shownMs) : ailing(stats);
    this.#button.dataset.state = still && kind === 'live' ? 'still' : kind;
    this.#button.classList.toggle('alarmed', alarmed);
    this.#button.classList.toggle('away', still);
    write(this.#trouble, trouble);
    write(this.#rate, stats?.rate ? `${stats.rate.toFixed(1)}/s` : '');
    const parts = [`Camera ${this.#camera}`, words, this.#seen, alarmed ? 'open alert' : ''];
    this.#button.setAttribute('aria-label', parts.filter(Boolean).join(', '));
  }

  #fit() {
    const dots = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(this.#canvas.clientWidth * dots);
    const height = Math.round(this.#canvas.clientHeight * dots);
    if (!width || (width === this.#canvas.width && height === this.#canvas.height)) return;
    const before = this.#shownMs ? copyOf(this.#canvas) : null;
    this.#canvas.width = width;
    this.#canvas.height = height;
    if (before) this.#context.drawImage(before, 0, 0, width, height);
  }
}

function copyOf(canvas) {
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  copy.getContext('2d').drawImage(canvas, 0, 0);
  return copy;
}
