// Zones and lines drawn with the mouse, or with the keyboard, on the large picture. What comes of
// it is text to paste: the page itself changes nothing.

import { copy } from '/static/clipboard.js';
import { at, shape } from '/static/places.js';
import { faultOf, nameFaultOf, round, yamlOf } from '/static/shape.js';
import { part, text } from '/static/words.js';

const NEW_ZONE = 'new zone';
const NEW_LINE = 'new line';
const CLOSE_PX = 12; // this near to the first corner, a click closes the zone

export class Editor {
  #panel = document.getElementById('editor');
  #sheet = document.getElementById('sheet');
  #svg = this.#sheet.querySelector('svg');
  #handles = document.getElementById('handles');
  #pick = document.getElementById('pick');
  #name = document.getElementById('shape-name');
  #way = document.getElementById('shape-way');
  #button = document.getElementById('draw');
  #sizeOf;
  #camera = null;
  #places = { zones: [], lines: [] };
  #taken = { zone: new Map(), line: new Set() };
  #shape = empty('zone');
  #hover = null;

  /** `sizeOf()` tells height and width of the frame that is shown. */
  constructor(sizeOf) {
    this.#sizeOf = sizeOf;
    this.#button.addEventListener('click', () => this.toggle());
    document.getElementById('draw-end').addEventListener('click', () => this.toggle(false));
    document.getElementById('copy').addEventListener('click', () => this.#copy());
    document.getElementById('again').addEventListener('click', () => this.#load(this.#pick.value));
    document.getElementById('add').addEventListener('click', () => this.#addByKey());
    this.#pick.addEventListener('change', () => this.#load(this.#pick.value));
    this.#name.addEventListener('input', () => this.#change({ name: this.#name.value.trim() }));
    this.#way.addEventListener('change', () => this.#change({ direction: this.#way.value }));
    this.#sheet.addEventListener('pointerdown', (event) => this.#pressed(event));
    this.#sheet.addEventListener('pointermove', (event) => this.#hovered(event));
    this.#sheet.addEventListener('dblclick', () => this.#close());
    this.#sheet.addEventListener('contextmenu', (event) => this.#menu(event));
    this.#sheet.addEventListener('keydown', (event) => this.#pointKey(event));
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /** The zones and lines of a camera, to begin with one of them, and `taken`: see nameFaultOf. */
  places(camera, zones, lines, taken) {
    if (camera !== this.#camera) this.toggle(false);
    this.#camera = camera;
    this.#places = { zones, lines };
    this.#taken = taken;
    if (this.isOpen) this.#tell();
    const names = [
      [NEW_ZONE, 'New zone'], [NEW_LINE, 'New line'],
      ...zones.map(({ id }) => [`zone ${id}`, `Zone ${id}`]),
      ...lines.map(({ id }) => [`line ${id}`, `Line ${id}`]),
    ];
    if (String(names) === String([...this.#pick.options].map((each) => [each.value, each.text]))) return;
    const picked = this.#pick.value;
    this.#pick.replaceChildren(...names.map(([value, label]) => new Option(label, value)));
    this.#pick.value = names.some(([value]) => value === picked) ? picked : NEW_ZONE;
  }

  toggle(on = !this.isOpen) {
    if (on === this.isOpen) return;
    this.#panel.hidden = this.#sheet.hidden = !on;
    document.body.classList.toggle('drawing', on);
    this.#button.setAttribute('aria-pressed', String(on));
    this.#pick.value = NEW_ZONE;
    this.#load(NEW_ZONE);
    if (on) this.#panel.scrollIntoView({ block: 'nearest' });
  }

  /** Keys that work wherever the focus is; true where one was for the editor. */
  key({ key, target }) {
    if (!this.isOpen || target.matches('input, select, textarea')) return false;
    if (key === 'Escape') this.toggle(false);
    else if (key === 'Enter' && !target.matches('button')) this.#close();
    else if (key === 'Backspace' || key === 'Delete') this.#remove(this.#shape.points.length - 1);
    else return false;
    return true;
  }

  #load(what) {
    const [kind, id] = what.split(' ');
    const zone = kind === 'zone' && this.#places.zones.find((each) => each.id === id);
    const line = kind === 'line' && this.#places.lines.find((each) => each.id === id);
    this.#shape = empty(what === NEW_LINE || line ? 'line' : 'zone');
    if (zone) Object.assign(this.#shape, { name: id, origin: id, points: copied(zone.polygon), isClosed: true });
    if (line) Object.assign(this.#shape, { name: id, origin: id, points: copied(line.line), direction: line.direction });
    this.#name.value = this.#shape.name;
    this.#way.value = this.#shape.direction;
    this.#draw();
  }

  #change(changes) {
    Object.assign(this.#shape, changes);
    this.#tell();
  }

  #pressed(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const handle = event.target.closest('button');
    const point = this.#pointAt(event);
    if (handle?.dataset.between) {
      this.#insert(Number(handle.dataset.between), point);
      this.#drag(Number(handle.dataset.between), event);
    } else if (handle) {
      this.#drag(Number(handle.dataset.index), event);
    } else if (this.#closesAt(event)) {
      this.#close();
    } else if (this.#canAdd) {
      this.#insert(this.#shape.points.length, point);
      this.#drag(this.#shape.points.length - 1, event);
    }
  }

  /** Until the pointer goes up the point follows it. */
  #drag(index, event) {
    const began = this.#pointAt(event);
    const from = this.#shape.points[index];
    let moved = false;
    const follow = (next) => {
      if (!this.#shape.points[index]) return; // taken away meanwhile
      const [x, y] = this.#pointAt(next);
      moved ||= Math.hypot(next.clientX - event.clientX, next.clientY - event.clientY) > 3;
      if (moved) this.#move(index, [from[0] + x - began[0], from[1] + y - began[1]]);
    };
    const end = () => {
      this.#sheet.removeEventListener('pointermove', follow);
      if (!moved && index === 0 && !this.#shape.isClosed && this.#close()) return;
      this.#handles.querySelector(`[data-index="${index}"]`)?.focus({ preventScroll: true });
    };
    this.#sheet.setPointerCapture(event.pointerId);
    this.#sheet.addEventListener('pointermove', follow);
    this.#sheet.addEventListener('lostpointercapture', end, { once: true }); // also where it is cancelled
  }

  #hovered(event) {
    this.#hover = this.#canAdd && this.#shape.points.length ? this.#pointAt(event) : null;
    this.#outline();
  }

  #menu(event) {
    const handle = event.target.closest('[data-index]');
    event.preventDefault();
    if (handle) this.#remove(Number(handle.dataset.index));
  }

  #pointKey(event) {
    const index = Number(event.target.dataset.index);
    const [height, width] = this.#sizeOf();
    const far = event.shiftKey ? 10 : 1;
    const steps = {
      ArrowLeft: [-far / width, 0], ArrowRight: [far / width, 0],
      ArrowUp: [0, -far / height], ArrowDown: [0, far / height],
    };
    if (steps[event.key] && !Number.isNaN(index)) {
      const [x, y] = this.#shape.points[index];
      this.#move(index, [x + steps[event.key][0], y + steps[event.key][1]]);
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      this.#remove(Number.isNaN(index) ? this.#shape.points.length - 1 : index);
    } else if (event.key === 'Enter' && event.target.dataset.between) {
      this.#insert(Number(event.target.dataset.between), middleOf(event.target));
    } else if (event.key === 'Enter') {
      this.#close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Without a mouse: a corner in the middle, which the arrow keys then move. */
  #addByKey() {
    if (this.#shape.isClosed) this.#shape.isClosed = false;
    if (!this.#canAdd) return;
    const { length } = this.#shape.points;
    this.#insert(length, [0.5 + 0.1 * Math.cos(length * 1.9), 0.5 + 0.1 * Math.sin(length * 1.9)]);
    this.#handles.querySelector(`[data-index="${length}"]`).focus();
  }

  get #canAdd() {
    const { kind, points, isClosed } = this.#shape;
    return kind === 'zone' ? !isClosed : points.length < 2;
  }

  #closesAt({ clientX, clientY }) {
    const { kind, points, isClosed } = this.#shape;
    if (kind !== 'zone' || isClosed || points.length < 3) return false;
    const { left, top, width, height } = this.#sheet.getBoundingClientRect();
    const [x, y] = [left + points[0][0] * width, top + points[0][1] * height];
    return Math.hypot(clientX - x, clientY - y) < CLOSE_PX;
  }

  #close() {
    if (this.#shape.kind !== 'zone' || this.#shape.points.length < 3) return false;
    this.#shape.points = this.#shape.points.filter((point, index, all) => (
      index === 0 || String(point) !== String(all[index - 1])
    ));
    this.#shape.isClosed = true;
    this.#draw();
    if (!this.#shape.name) this.#name.focus({ preventScroll: true });
    return true;
  }

  #insert(index, point) {
    this.#shape.points.splice(index, 0, point.map(round));
    this.#draw();
  }

  #move(index, point) {
    this.#shape.points[index] = point.map(round);
    at(this.#handles.querySelector(`[data-index="${index}"]`), ...this.#shape.points[index]);
    this.#betweens();
    this.#outline();
    this.#tell();
  }

  #remove(index) {
    const { points } = this.#shape;
    if (index < 0 || index >= points.length) return;
    points.splice(index, 1);
    if (points.length < 3) this.#shape.isClosed = false;
    this.#draw();
    this.#handles.querySelector(`[data-index="${Math.max(0, index - 1)}"]`)?.focus();
  }

  #pointAt({ clientX, clientY }) {
    const { left, top, width, height } = this.#sheet.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  #draw() {
    this.#hover = null;
    const word = this.#shape.kind === 'zone' ? 'Corner' : 'End';
    this.#handles.replaceChildren(...this.#shape.points.map(([x, y], index) => {
      const handle = at(part('button', 'handle'), x, y);
      handle.type = 'button';
      handle.dataset.index = index;
      handle.setAttribute('aria-label', `${word} ${index + 1}`);
      return handle;
    }));
    this.#betweens();
    this.#outline();
    this.#tell();
  }

  /** Small handles in the middle of a closed zone's sides: drag one to make a corner of it. */
  #betweens() {
    for (const each of [...this.#handles.querySelectorAll('[data-between]')]) each.remove();
    const { points, isClosed } = this.#shape;
    if (!isClosed) return;
    points.forEach(([x, y], index) => {
      const [nextX, nextY] = points[(index + 1) % points.length];
      const handle = at(part('button', 'between'), (x + nextX) / 2, (y + nextY) / 2);
      handle.type = 'button';
      handle.tabIndex = -1;
      handle.dataset.between = index + 1;
      handle.setAttribute('aria-label', `Corner after ${index + 1}`);
      this.#handles.append(handle);
    });
  }

  #outline() {
    const { kind, points, isClosed } = this.#shape;
    const shown = this.#hover ? [...points, this.#hover] : points;
    const attributes = { points: shown.map((point) => point.join()).join(' ') };
    this.#svg.replaceChildren(shape(kind === 'zone' && isClosed ? 'polygon' : 'polyline', attributes));
  }

  #tell() {
    const { kind, name } = this.#shape;
    const nameFault = nameFaultOf(this.#shape, this.#taken);
    const fault = faultOf(this.#shape) || (name ? '' : 'Give it a name.');
    const isReady = !fault && !nameFault;
    document.getElementById('way').hidden = kind !== 'line';
    document.getElementById('yaml').value = isReady ? yamlOf({ ...this.#shape, camera: this.#camera }) : '';
    document.getElementById('copy').disabled = !isReady;
    this.#name.setAttribute('aria-invalid', String(nameFault !== ''));
    text('name-fault', nameFault);
    text('fault', fault);
    text('copy', 'Copy');
  }

  async #copy() {
    const isCopied = await copy(document.getElementById('yaml'));
    text('copy', isCopied ? 'Copied' : 'Not copied: it is selected');
  }
}

function empty(kind) {
  return { kind, name: '', origin: '', points: [], isClosed: false, direction: 'any' };
}

function copied(points) {
  return points.map((point) => [...point]);
}

function middleOf({ style }) {
  return [parseFloat(style.left) / 100, parseFloat(style.top) / 100];
}
