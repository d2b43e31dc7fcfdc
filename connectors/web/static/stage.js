// One camera, large: a canvas holds picture, masks and labels; zones and lines lie above it, so
// that the style sheet moves them (and holds them still where motion is unwanted).

import { Colours } from '/static/identities.js';
import { described, objectsOf, outlineOf, paintChips, paintMasks } from '/static/paint.js';
import { areaOf, spread, strokeOf, tagOf, tagOfLine } from '/static/places.js';

export class Stage {
  #root;
  #tags;
  #canvas;
  #context;
  #layers = { masks: true, ids: true, zones: true };
  #colours = new Colours();
  #bitmap = null;
  #objects = [];
  #paths = [];
  #size = [9, 16];

  constructor(root) {
    this.#root = root;
    this.#tags = root.querySelector('#tags');
    this.#canvas = root.querySelector('canvas');
    this.#context = this.#canvas.getContext('2d');
    new ResizeObserver(() => this.#fit()).observe(this.#canvas);
    new ResizeObserver(() => spread(this.#tags)).observe(this.#tags); // also once it is shown
  }

  /** Height and width of the frame shown. */
  get size() {
    return this.#size;
  }

  /** Show a picture (an ImageBitmap, which the stage closes in time) and what was seen in it. */
  show(frame, bitmap) {
    this.#bitmap?.close();
    this.#bitmap = bitmap;
    this.#objects = objectsOf(frame, this.#colours);
    this.#paths = this.#objects.map(({ mask }) => outlineOf(mask));
    delete this.#root.dataset.empty;
    if (String(frame.size) !== String(this.#size)) {
      this.#size = frame.size;
      this.#root.style.setProperty('--ratio', frame.size[1] / frame.size[0]);
      this.#fit();
    }
    this.#paint();
    const label = `Camera ${frame.camera}: ${described(this.#objects)}`;
    this.#canvas.setAttribute('aria-label', label);
    return this.#objects.length;
  }

  /** Take the picture away, until the next comes. */
  clear() {
    this.#bitmap?.close();
    this.#bitmap = null;
    this.#objects = [];
    this.#colours = new Colours();
    this.#root.dataset.empty = '';
    this.#paint();
  }

  layer(name, on) {
    this.#layers[name] = on;
    this.#root.classList.toggle(`without-${name}`, !on);
    this.#paint();
  }

  /**
   * Draw zones ({id, polygon}) and lines ({id, line, direction}), in fractions; `alarmed` has the
   * ids of those with an open alert: {zones: Set, rules: Set}.
   */
  places(zones, lines, alarmed) {
    const ratio = this.#size[1] / this.#size[0];
    const svg = this.#root.querySelector('svg');
    svg.replaceChildren(
      ...zones.map((zone) => areaOf(zone, alarmed.zones.has(zone.id))),
      ...lines.map((line) => strokeOf(line, alarmed.rules.has(line.id))),
    );
    this.#tags.replaceChildren(
      ...zones.map((zone) => tagOf(zone, alarmed.zones.has(zone.id))),
      ...lines.flatMap((line) => tagOfLine(line, alarmed.rules.has(line.id), ratio)),
    );
    spread(this.#tags);
  }

  #fit() {
    const scale = window.devicePixelRatio || 1;
    const width = Math.round(this.#canvas.clientWidth * scale);
    const height = Math.round(this.#canvas.clientHeight * scale);
    if (width !== this.#canvas.width || height !== this.#canvas.height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#paint();
    }
  }

  #paint() {
    const { width, height } = this.#canvas;
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.#bitmap || width === 0) return;
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.#bitmap, 0, 0, width, height);
    const dots = window.devicePixelRatio || 1;
    const scale = width / this.#size[1];
    if (this.#layers.masks) paintMasks(context, this.#objects, this.#paths, scale, dots);
    if (this.#layers.ids) paintChips(context, this.#objects, scale, dots);
  }
}
