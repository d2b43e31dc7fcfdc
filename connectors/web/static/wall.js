// All cameras at once. Only tiles that are on the screen are asked for.

import { Tile } from '/static/tile.js';
import { text } from '/static/words.js';

const RATIO = 16 / 9;
const LEAST_WIDTH = 150; // px of a tile: below, the wall scrolls
const NARROW = 600; // px: up to here two columns take the whole width
const TURN_MS = 50;
const GAP = 10; // px between tiles, as in the style sheet

export class Wall {
  #root = document.getElementById('wall');
  #list = document.getElementById('tiles');
  #tiles = new Map(); // camera -> Tile
  #seen = new Set();
  #turn = null;
  #on;
  #watching = new IntersectionObserver((entries) => this.#moved(entries), { rootMargin: '80px' });

  /** Calls on.choose(camera) and, when the tiles on the screen change, on.see([camera, …]). */
  constructor(on) {
    this.#on = on;
    new ResizeObserver(() => this.#arrange()).observe(this.#root);
    window.addEventListener('resize', () => this.#arrange());
    this.#list.addEventListener('keydown', (event) => this.#move(event));
  }

  /** These are the cameras, in order. */
  cameras(cameras) {
    for (const camera of this.#tiles.keys()) if (!cameras.includes(camera)) this.#drop(camera);
    for (const camera of cameras) {
      if (this.#tiles.has(camera)) continue;
      const tile = new Tile(camera, () => this.#on.choose(camera));
      this.#tiles.set(camera, tile);
      this.#watching.observe(tile.entry);
    }
    cameras.forEach((camera, place) => {
      const { entry } = this.#tiles.get(camera);
      const there = this.#list.children[place];
      if (there !== entry) this.#list.insertBefore(entry, there ?? null);
    });
    this.#arrange();
  }

  #drop(camera) {
    const { entry } = this.#tiles.get(camera);
    this.#watching.unobserve(entry);
    entry.remove();
    this.#tiles.delete(camera);
    this.#seen.delete(camera);
  }

  /** Focus the tile of a camera. */
  focus(camera) {
    this.#tiles.get(camera)?.focus();
  }

  /** Pixels across a tile. */
  get tileWidth() {
    return this.#tiles.values().next().value?.width ?? 0;
  }

  /** When to draw: all that is there by then is drawn at once, as each time costs the whole wall. */
  turn() {
    this.#turn ??= new Promise((resolve) => {
      setTimeout(() => requestAnimationFrame(() => {
        this.#turn = null;
        resolve();
      }), TURN_MS);
    });
    return this.#turn;
  }

  /** Show a picture of its camera; the bitmap is closed. */
  show(frame, bitmap) {
    this.#tiles.get(frame.camera)?.show(frame, bitmap);
    bitmap.close();
  }

  /** Tell every tile how its camera is; `alarmed` has the cameras with an open alert. */
  tell(stats, alarmed) {
    for (const [camera, tile] of this.#tiles) tile.tell(stats[camera], alarmed.has(camera));
    const all = Object.values(stats);
    const live = all.filter(({ state }) => state === 'live').length;
    const rate = all.reduce((sum, each) => sum + (each.rate ?? 0), 0);
    const ages = all.map(({ age_p99_ms: age }) => age).filter((age) => age != null);
    text('cameras-all', String(all.length));
    text('cameras-live', String(live));
    text('rate-all', rate.toFixed(rate < 100 ? 1 : 0));
    text('age-worst', ages.length ? Math.round(Math.max(...ages)).toLocaleString('en') : '–');
    document.getElementById('overview').dataset.state = live < all.length ? 'partly' : 'live';
  }

  /** As many columns as make tiles largest that all fit; on a small screen they scroll. */
  #arrange() {
    const width = this.#root.clientWidth;
    const count = this.#tiles.size;
    if (!width || !count) return;
    if (width < NARROW) {
      this.#list.style.setProperty('--columns', count > 3 ? 2 : 1);
      this.#list.style.setProperty('--tile', '100%');
      return;
    }
    const height = window.innerHeight - this.#root.getBoundingClientRect().top - window.scrollY - 20;
    const most = Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP)));
    let [columns, best] = [Math.min(most, count), 0];
    for (let each = 1; each <= Math.min(most, count); each += 1) {
      const rows = Math.ceil(count / each);
      const across = (width - GAP * (each - 1)) / each;
      const along = ((height - GAP * (rows - 1)) / rows) * RATIO;
      const size = Math.min(across, along);
      if (along >= LEAST_WIDTH && size > best) [columns, best] = [each, size];
    }
    this.#list.style.setProperty('--columns', columns);
    this.#list.style.setProperty('--tile', best ? `${Math.floor(best)}px` : '100%');
  }

  #moved(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#seen.add(target.dataset.camera);
      else this.#seen.delete(target.dataset.camera);
    }
    this.#on.see([...this.#seen]);
  }

  #move(event) {
    const tiles = [...this.#list.children].map((entry) => entry.firstElementChild);
    const columns = Number(this.#list.style.getPropertyValue('--columns')) || 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const at = tiles.indexOf(document.activeElement) + (steps[event.key] ?? NaN);
    if (!tiles[at]) return;
    event.preventDefault();
    tiles[at].focus();
  }
}
