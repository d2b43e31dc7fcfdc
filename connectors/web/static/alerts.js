// The feed of alerts: one entry an episode, changed in place as it goes through its life.

import { short } from '/static/identities.js';

const KEPT = 60;
const SHOWN_TRACKS = 3;

export class Alerts {
  #feed = document.getElementById('feed');
  #known = new Map(); // id -> {alert, heardMs, entry}

  /** Forget all: the server is about to tell its own. */
  clear() {
    this.#known.clear();
    this.#feed.replaceChildren();
    this.#count();
  }

  /** An alert changed; `heardMs` is when, on this machine's clock. `picture` (a URL) shows it. */
  add(alert, heardMs, picture) {
    const known = this.#known.get(alert.id);
    if (known) {
      known.alert = alert;
    } else {
      const entry = entryOf(alert, picture);
      this.#feed.prepend(entry);
      this.#known.set(alert.id, { alert, heardMs, entry });
    }
    this.#trim();
    this.#fill(this.#known.get(alert.id));
    this.#count();
  }

  /** Ids of the zones of `camera` in which an alert is open. */
  zones(camera) {
    const open = this.#open().filter((alert) => alert.camera === camera);
    return new Set(open.map((alert) => alert.zone));
  }

  /** Names of the cameras with an open alert. */
  cameras() {
    return new Set(this.#open().map((alert) => alert.camera));
  }

  /** Let the ages go on. */
  tick() {
    for (const known of this.#known.values()) this.#fill(known);
  }

  #open() {
    const alerts = [...this.#known.values()].map(({ alert }) => alert);
    return alerts.filter(({ state }) => state !== 'resolved');
  }

  #fill({ alert, heardMs, entry }) {
    const resolved = alert.state === 'resolved';
    entry.dataset.state = resolved ? 'resolved' : 'open';
    const lasted = duration((alert.time_us - alert.opened_us) / 1e6);
    fill(entry, '.state', resolved ? `resolved after ${lasted}` : 'open');
    fill(entry, 'time', `${duration((Date.now() - heardMs) / 1000)} ago`);
    fill(entry, '.where', whereOf(alert));
  }

  #trim() {
    for (const [id, { alert, entry }] of this.#known) {
      if (this.#known.size <= KEPT) return;
      if (alert.state !== 'resolved') continue;
      entry.remove();
      this.#known.delete(id);
    }
  }

  #count() {
    const open = this.#open().length;
    const count = document.getElementById('open-count');
    count.hidden = open === 0;
    count.textContent = `${open} open`;
    document.getElementById('no-alerts').hidden = this.#known.size > 0;
    document.title = open ? `(${open}) maskstream` : 'maskstream';
  }
}

function entryOf(alert, picture) {
  const entry = document.createElement('li');
  entry.dataset.severity = alert.severity;
  const about = part('div', 'about');
  const head = part('p', 'head');
  head.append(part('strong', 'rule', alert.rule), part('span', 'severity', alert.severity));
  const foot = part('p', 'foot');
  foot.append(part('span', 'state'), part('time'));
  about.append(head, part('p', 'where'), foot);
  entry.append(pictureOf(picture), about);
  return entry;
}

function pictureOf(url) {
  const image = part('img');
  image.src = url ?? '/static/alert.svg';
  image.alt = '';
  return image;
}

function part(kind, name = '', content = '') {
  const element = document.createElement(kind);
  if (name) element.className = name;
  element.textContent = content;
  return element;
}

function fill(entry, selector, value) {
  const element = entry.querySelector(selector);
  if (element.textContent !== value) element.textContent = value;
}

function whereOf({ camera, zone, labels, tracks, detail }) {
  const place = zone ? `${camera} › ${zone}` : camera;
  const names = tracks.slice(0, SHOWN_TRACKS).map(short).join(' ');
  const more = tracks.length > SHOWN_TRACKS ? ` +${tracks.length - SHOWN_TRACKS}` : '';
  return [place, detail || `${labels.join(', ')} ${names}${more}`.trim()].filter(Boolean).join(' · ');
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
