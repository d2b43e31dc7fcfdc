// The feed of alerts: one entry an episode, changed in place as it goes through its life. Those that
// are open come first, the gravest of them before others, and of these the one that opened last.

import { short } from '/static/identities.js';
import { clock, duration, part, write } from '/static/words.js';

const KEPT = 60;
const NEWS_KEPT = 5;
const GRAVEST_FIRST = ['critical', 'warning', 'info'];
const SHOWN_TRACKS = 3;
const NOTHING = 'Nothing to report. Alerts appear here as they open.';
const UNKNOWN = 'Not connected: what is open now is not known.';

export class Alerts {
  #feed = document.getElementById('feed');
  #news = document.getElementById('news'); // what a screen reader says
  #told = null; // ids of those that are no news; null until the server has told what it knows
  #known = new Map(); // id -> {alert, heardUs, endUs, entry}: when it was first told of, and last
  #aheadMs = 0;
  #recalled; // undefined until the server has said it
  #on;

  /**
   * Calls on.show(alert, heardUs) to see the moment in which one opened, and
   * on.exhibit(alert, kind, url) for its stored 'snapshot' or 'clip'. on.isFile(camera) says that
   * a camera is a file, whose time is its own.
   */
  constructor(on) {
    this.#on = on;
  }

  /** Forget all: the server is about to tell its own. Its clock is `aheadMs` behind this one. */
  clear(aheadMs) {
    this.#aheadMs = aheadMs;
    this.#known.clear();
    this.#feed.replaceChildren();
    this.#count();
  }

  /**
   * How far the server has read what was told before it began, {read, of}; null: all of it;
   * undefined: it is not there to say.
   */
  recalled(recalled) {
    this.#recalled = recalled;
    if (recalled === null) this.#told ??= new Set(this.#known.keys());
    this.#note();
  }

  /** How an alert is: see Page.alert_text in connectors/web/page.py. */
  add({ alert, heard_us: heardUs, changed_us: endUs, picture, exhibits }) {
    const entry = this.#known.get(alert.id)?.entry ?? this.#entryOf(alert, heardUs, picture, exhibits);
    this.#known.set(alert.id, { alert, heardUs, endUs, entry });
    this.#announce(alert);
    this.#trim();
    this.#fill(this.#known.get(alert.id));
    this.#sort();
    this.#count();
  }

  /** Ids of the zones and rules of `camera` with an alert that is open, or was at a time. */
  alarmed(camera, atUs = Infinity) {
    const open = [...this.#known.values()]
      .filter(({ alert, heardUs, endUs }) => (
        alert.state === 'resolved' ? heardUs <= atUs && atUs < endUs : heardUs <= atUs
      ))
      .map(({ alert }) => alert)
      .filter((alert) => alert.camera === camera);
    return {
      zones: new Set(open.map(({ zone }) => zone)), rules: new Set(open.map(({ rule }) => rule)),
    };
  }

  /** Names of the cameras with an open alert. */
  cameras() {
    return new Set(this.#open().map((alert) => alert.camera));
  }

  /** When alerts of `camera` opened: [{heard_us, severity, rule}]. */
  marks(camera) {
    return [...this.#known.values()]
      .filter(({ alert }) => alert.camera === camera)
      .map(({ alert: { severity, rule }, heardUs }) => ({ heard_us: heardUs, severity, rule }));
  }

  /** Let the ages go on. */
  tick() {
    for (const known of this.#known.values()) this.#fill(known);
  }

  #open() {
    const alerts = [...this.#known.values()].map(({ alert }) => alert);
    return alerts.filter(({ state }) => state !== 'resolved');
  }

  #fill({ alert, entry }) {
    const resolved = alert.state === 'resolved';
    entry.dataset.state = resolved ? 'resolved' : 'open';
    const lasted = duration((alert.time_us - alert.opened_us) / 1e6);
    write(entry.querySelector('.state'), resolved ? `resolved after ${lasted}` : 'open');
    write(entry.querySelector('time'), this.#whenOf(alert));
    write(entry.querySelector('.where'), whereOf(alert));
  }

  /** How long ago one opened; in a file, the time that the file has there. */
  #whenOf({ camera, opened_us: openedUs }) {
    if (this.#on.isFile(camera)) return `at ${clock(openedUs)}`;
    const ageMs = Date.now() - openedUs / 1000 - this.#aheadMs;
    return `${duration(ageMs / 1000)} ago`;
  }

  /** Have it said that an alert opened: once, not again when the server tells all after a break. */
  #announce(alert) {
    if (!this.#told || this.#told.has(alert.id)) return;
    this.#told.add(alert.id);
    if (alert.state === 'resolved') return;
    this.#news.append(part('p', '', `${alert.severity}: ${alert.rule}, ${whereOf(alert)}`));
    if (this.#news.children.length > NEWS_KEPT) this.#news.firstElementChild.remove();
  }

  #sort() {
    const rank = ({ alert: { state, severity } }) => (
      state === 'resolved' ? GRAVEST_FIRST.length : GRAVEST_FIRST.indexOf(severity)
    );
    const inOrder = [...this.#known.values()].reverse() // the last to be told first
      .sort((one, other) => rank(one) - rank(other) || other.alert.opened_us - one.alert.opened_us);
    inOrder.forEach(({ entry }, index) => {
      const there = this.#feed.children[index];
      if (there !== entry) this.#feed.insertBefore(entry, there ?? null);
    });
  }

  #trim() {
    for (const [id, { alert, entry }] of this.#known) {
      if (this.#known.size <= KEPT) return;
      if (alert.state !== 'resolved') continue;
      entry.remove();
      this.#known.delete(id);
      this.#told?.delete(id);
    }
  }

  #count() {
    const open = this.#open().length;
    const count = document.getElementById('open-count');
    count.hidden = open === 0;
    write(count, `${open} open`);
    this.#note();
  }

  /** Why what is open may not be here; or that there is nothing. The title has their number. */
  #note() {
    const words = reading(this.#recalled);
    const note = document.getElementById('no-alerts');
    write(note, words || NOTHING);
    note.hidden = !words && this.#known.size > 0;
    const open = this.#open().length || '';
    document.title = [words ? `(${open}?)` : open && `(${open})`, 'maskstream'].filter(Boolean).join(' ');
  }

  #entryOf(alert, heardUs, picture, exhibits) {
    const entry = part('li');
    entry.dataset.severity = alert.severity;
    const about = part('div', 'about');
    const head = part('p', 'head');
    const rule = part('button', 'rule', alert.rule);
    rule.type = 'button';
    rule.title = 'Show the moment in which it opened';
    rule.addEventListener('click', () => this.#on.show(alert, heardUs));
    head.append(rule, part('span', 'severity', alert.severity));
    const foot = part('p', 'foot');
    foot.append(part('span', 'state'), part('time'));
    about.append(head, part('p', 'where'), foot);
    if (exhibits) about.append(this.#exhibitsOf(alert, exhibits));
    entry.append(pictureOf(picture), about);
    return entry;
  }

  #exhibitsOf(alert, exhibits) {
    const links = part('p', 'exhibits');
    for (const [kind, word] of [['snapshot', 'Picture'], ['clip', 'Clip']]) {
      if (!exhibits[kind]) continue;
      const link = part('button', kind, word);
      link.type = 'button';
      link.addEventListener('click', () => this.#on.exhibit(alert, kind, exhibits[kind]));
      links.append(link);
    }
    return links;
  }
}

function reading(recalled) {
  if (recalled === undefined) return UNKNOWN;
  if (recalled === null) return '';
  const part = recalled.of ? ` (${Math.floor((100 * recalled.read) / recalled.of)} %)` : '';
  return `Reading the alerts of before${part}. Those that are open appear here then.`;
}

function pictureOf(url) {
  const image = part('img');
  image.src = url ?? '/static/alert.svg';
  image.alt = '';
  return image;
}

function whereOf({ camera, zone, labels, tracks, detail }) {
  const place = zone ? `${camera} › ${zone}` : camera;
  const names = tracks.slice(0, SHOWN_TRACKS).map(short).join(' ');
  const more = tracks.length > SHOWN_TRACKS ? ` +${tracks.length - SHOWN_TRACKS}` : '';
  return [place, detail || `${labels.join(', ')} ${names}${more}`.trim()].filter(Boolean).join(' · ');
}
