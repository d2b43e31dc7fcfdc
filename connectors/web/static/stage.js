// The picture with what was seen in it. A canvas holds picture, masks and labels; zones lie above
// it as SVG, so that the style sheet moves them (and holds them still where motion is unwanted).

import { Colours, short } from '/static/identities.js';
import { contours } from '/static/outline.js';
import { crop } from '/static/rle.js';

const SVG = 'http://www.w3.org/2000/svg';
const SMALL_OBJECT = 110; // px on the screen
const FONT = '"Inter", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

export class Stage {
  #root;
  #canvas;
  #context;
  #layers = { masks: true, ids: true, zones: true };
  #colours = new Colours();
  #bitmap = null;
  #objects = [];
  #size = [9, 16];

  constructor(root) {
    this.#root = root;
    this.#canvas = root.querySelector('canvas');
    this.#context = this.#canvas.getContext('2d');
    new ResizeObserver(() => this.#fit()).observe(this.#canvas);
  }

  /** Show a picture (an ImageBitmap, which the stage closes in time) and what was seen in it. */
  show(frame, bitmap) {
    this.#bitmap?.close();
    this.#bitmap = bitmap;
    this.#objects = objectsOf(frame, this.#colours);
    delete this.#root.dataset.empty;
    if (String(frame.size) !== String(this.#size)) {
      this.#size = frame.size;
      this.#root.style.setProperty('--ratio', frame.size[1] / frame.size[0]);
      this.#fit();
    }
    this.#paint();
    this.#canvas.setAttribute('aria-label', describe(frame.camera, this.#objects));
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

  /** Draw zones ({id, polygon in fractions}); those whose id is in `alarmed` have an open alert. */
  zones(zones, alarmed) {
    const svg = this.#root.querySelector('svg');
    svg.setAttribute('viewBox', '0 0 1 1');
    svg.replaceChildren(...zones.map((zone) => shapeOf(zone, alarmed.has(zone.id))));
    this.#root.querySelector('#tags').replaceChildren(
      ...zones.map((zone) => tagOf(zone, alarmed.has(zone.id))),
    );
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
    if (this.#layers.masks) paintMasks(context, this.#objects, scale, dots);
    if (this.#layers.ids) paintChips(context, this.#objects, scale, dots);
  }
}

/** What is drawn of a frame: {label, identity, colour, box, path}, outlines traced once. */
function objectsOf({ result, tracks }, colours) {
  colours.next();
  const identities = new Map((tracks?.tracks ?? []).map((track) => [track.instance, track.id]));
  return (result?.instances ?? []).map((instance, index) => {
    const identity = identities.get(index) ?? null;
    return {
      label: instance.label,
      identity,
      colour: colours.of(identity ?? `${instance.label}/0/0`),
      box: instance.box,
      path: pathOf(instance.mask),
    };
  });
}

function pathOf(mask) {
  const path = new Path2D();
  const part = crop(mask);
  for (const polygon of part ? contours(part) : []) {
    path.moveTo(polygon[0], polygon[1]);
    for (let at = 2; at < polygon.length; at += 2) path.lineTo(polygon[at], polygon[at + 1]);
    path.closePath();
  }
  return path;
}

function paintMasks(context, objects, scale, dots) {
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.lineJoin = 'round';
  for (const { colour, path } of objects) {
    context.fillStyle = colour;
    context.globalAlpha = 0.36;
    context.fill(path, 'evenodd');
    context.strokeStyle = '#05070a';
    context.globalAlpha = 0.45;
    context.lineWidth = (3.4 * dots) / scale;
    context.stroke(path);
    context.strokeStyle = colour;
    context.globalAlpha = 1;
    context.lineWidth = (1.6 * dots) / scale;
    context.stroke(path);
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
}

/** Labels above their boxes, small ones on small objects; where two would meet, one moves up. */
function paintChips(context, objects, scale, dots) {
  context.setTransform(dots, 0, 0, dots, 0, 0);
  context.textBaseline = 'middle';
  const placed = [];
  const lowestFirst = [...objects].sort((one, other) => other.box[1] - one.box[1]);
  for (const object of lowestFirst) {
    const box = object.box.map((each) => (each * scale) / dots);
    const chip = measured(context, object, box[3] - box[1] < SMALL_OBJECT ? 10.5 : 12);
    const width = context.canvas.width / dots;
    chip.x = Math.max(2, Math.min(box[0], width - chip.width - 2));
    chip.y = box[1] - chip.height - 4;
    for (let met; (met = placed.find((other) => cover(chip, other)));) {
      chip.y = met.y - chip.height - 2;
    }
    chip.y = Math.max(2, chip.y);
    placed.push(chip);
    paintChip(context, chip, object);
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
}

function measured(context, { label, identity }, size) {
  const name = identity ? short(identity) : '';
  context.font = `600 ${size}px ${FONT}`;
  const labelWidth = context.measureText(label).width;
  context.font = `400 ${size}px ${FONT}`;
  const nameWidth = name ? context.measureText(name).width + size * 0.4 : 0;
  return {
    name, size, labelWidth, width: labelWidth + nameWidth + size * 2.2, height: size * 1.65,
  };
}

function paintChip(context, { x, y, width, height, size, name, labelWidth }, { label, colour }) {
  const middle = y + height / 2;
  context.fillStyle = 'rgb(9 12 17 / .78)';
  context.beginPath();
  context.roundRect(x, y, width, height, size / 2);
  context.fill();
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x + size * 0.9, middle, size * 0.29, 0, 7);
  context.fill();
  context.font = `600 ${size}px ${FONT}`;
  context.fillStyle = '#f2f5f9';
  context.fillText(label, x + size * 1.55, middle + 0.5);
  context.font = `400 ${size}px ${FONT}`;
  context.fillStyle = '#b4bfcc';
  context.fillText(name, x + size * 1.95 + labelWidth, middle + 0.5);
}

function cover(one, other) {
  return (
    one.y < other.y + other.height &&
    other.y < one.y + one.height &&
    one.x < other.x + other.width &&
    other.x < one.x + one.width
  );
}

function shapeOf({ polygon }, alarmed) {
  const shape = document.createElementNS(SVG, 'polygon');
  shape.setAttribute('points', polygon.map((point) => point.join()).join(' '));
  shape.classList.toggle('alarmed', alarmed);
  return shape;
}

function tagOf({ id, polygon }, alarmed) {
  const [x, y] = [...polygon].sort((one, other) => one[1] - other[1] || one[0] - other[0])[0];
  const tag = document.createElement('span');
  tag.textContent = id;
  tag.classList.toggle('alarmed', alarmed);
  tag.style.left = `${x * 100}%`;
  tag.style.top = `${y * 100}%`;
  return tag;
}

function describe(camera, objects) {
  const counts = new Map();
  for (const { label } of objects) counts.set(label, (counts.get(label) ?? 0) + 1);
  const seen = [...counts].map(([label, count]) => `${count} ${label}`).join(', ');
  return `Camera ${camera}: ${seen || 'nothing detected'}`;
}
