// Wires the connection, the wall, the large camera and the alerts together.

import { Alerts } from '/static/alerts.js';
import { decoded, decodedFor } from '/static/decode.js';
import { Editor } from '/static/editor.js';
import { Exhibit } from '/static/exhibit.js';
import { Figures } from '/static/figures.js';
import { Live } from '/static/live.js';
import { Shortcuts } from '/static/shortcuts.js';
import { Stage } from '/static/stage.js';
import { Timeline } from '/static/timeline.js';
import { Wall } from '/static/wall.js';
import { clock, isStill, text, whyStill } from '/static/words.js';

const LINK_WORDS = { open: 'Connected', lost: 'Reconnecting' };

const page = { camera: null, cameras: [], onScreen: [], zones: [], lines: [], rules: [], stats: {}, came: 0, shown: 0, shownMs: 0, atUs: Infinity };
const stage = new Stage(document.getElementById('stage'));
const figures = new Figures();
const editor = new Editor(() => stage.size);
const exhibit = new Exhibit();
const help = document.getElementById('help');
const shortcuts = new Shortcuts();

const live = new Live({
  state(state) {
    document.getElementById('link').dataset.state = state;
    text('link-words', LINK_WORDS[state]);
    document.body.classList.toggle('lost', state === 'lost');
    if (state !== 'open') alerts.recalled(undefined);
  },
  message(message) {
    if (message.type === 'hello') greet(message);
    if (message.type === 'recalled') alerts.recalled(message.recalled);
    if (message.type === 'zones') takePlaces(message);
    if (message.type === 'cameras') takeCameras(message.cameras);
    if (message.type === 'stats') takeStats(message.cameras);
    if (message.type === 'alert') takeAlert(message);
    if (message.type === 'span') timeline.span(message);
    if (message.type === 'gone') timeline.gone();
  },
  frame: showFrame,
});
const timeline = new Timeline({
  ask: (asked) => live.past(asked),
  live: () => { if (page.camera) live.watch(page.camera); },
});
const wall = new Wall({
  choose: (camera) => { location.hash = camera; },
  see(cameras) {
    page.onScreen = cameras;
    if (!page.camera) live.wall(cameras);
  },
});
const alerts = new Alerts({
  show: (alert, heardUs) => showMoment(alert, heardUs),
  exhibit: (alert, kind, url) => exhibit.show(alert, kind, url),
  isFile: (camera) => page.stats[camera]?.mode === 'archive',
});

function greet({ now_us: nowUs, has_session: hasSession }) {
  document.getElementById('log-out').hidden = !hasSession;
  alerts.clear(Date.now() - nowUs / 1000);
  if (page.camera) timeline.begin(page.camera);
}

function takePlaces({ zones, lines, rules }) {
  Object.assign(page, { zones, lines, rules });
  drawPlaces();
}

function takeCameras(cameras) {
  page.cameras = cameras;
  wall.cameras(cameras);
  document.body.classList.toggle('single', cameras.length === 1);
  route();
}

function takeStats(cameras) {
  page.stats = cameras;
  figures.take(cameras);
  tell();
}

function takeAlert(message) {
  alerts.add(message);
  drawPlaces();
  tell();
  if (page.camera) timeline.mark(alerts.marks(page.camera));
}

/** The address says what is looked at: a camera's name, or nothing for the wall. */
function route() {
  const named = location.hash.slice(1);
  const only = page.cameras.length === 1 ? page.cameras[0] : null;
  const isThere = page.cameras.includes(named);
  const camera = isThere ? named : only;
  if (page.cameras.length) text('no-camera', named && !isThere ? `There is no camera ${named}.` : '');
  if (page.cameras.length && (camera !== page.camera || !document.body.dataset.view)) look(camera);
}

function look(camera) {
  const before = page.camera;
  page.camera = camera;
  page.shownMs = 0;
  page.atUs = Infinity;
  document.body.dataset.view = camera ? 'camera' : 'wall';
  stage.clear();
  timeline.begin(camera);
  ['count', 'time', 'identity'].forEach((id) => text(id, '–'));
  text('camera-name', camera ?? '');
  drawPlaces();
  tell();
  if (camera) {
    live.watch(camera);
    timeline.mark(alerts.marks(camera));
    document.getElementById('stage').focus({ preventScroll: true }); // no button: Space pauses
    window.scrollTo(0, 0);
  } else {
    live.wall(page.onScreen);
    if (before) wall.focus(before);
  }
}

function showWall() {
  if (page.camera && page.cameras.length > 1) location.hash = '';
}

function beside(step) {
  const count = page.cameras.length;
  const at = page.cameras.indexOf(page.camera);
  location.hash = page.cameras[(at + step + count) % count];
}

async function logOut() {
  const answer = await fetch('/logout', { method: 'POST' }).catch(() => null); // nobody is there
  if (answer?.ok) location.reload();
}

function showMoment(alert, heardUs) {
  if (alert.camera !== page.camera) {
    if (!page.cameras.includes(alert.camera)) return;
    location.hash = alert.camera;
    look(alert.camera);
  }
  const { evidence } = alert;
  timeline.seek(evidence ? { epoch: evidence.epoch, seq: evidence.seq } : { heard_us: heardUs });
  document.getElementById('view').scrollIntoView({ block: 'nearest' });
}

function drawPlaces() {
  const own = ({ camera }) => camera === page.camera;
  const [zones, lines] = [page.zones.filter(own), page.lines.filter(own)];
  const taken = { zone: new Map(page.zones.map(({ id, camera }) => [id, camera])), line: new Set(page.rules) };
  stage.places(zones, lines, alerts.alarmed(page.camera, page.atUs));
  if (page.camera || editor.isOpen) editor.places(page.camera, zones, lines, taken);
}

/** Say how cameras are. */
function tell() {
  if (!page.camera) {
    wall.tell(page.stats, alerts.cameras());
    return;
  }
  const stats = page.stats[page.camera];
  figures.show(page.camera, stats);
  const still = isStill(stats, page.shownMs) && !timeline.isPast;
  document.getElementById('stage').classList.toggle('still', still);
  text('veil', whyStill(stats, page.shownMs));
}

async function showFrame(frame, jpeg, drawn) {
  page.came += 1;
  const number = page.came;
  const isPast = frame.type === 'past';
  try {
    const bitmap = page.camera || isPast
      ? await decoded(jpeg)
      : await decodedFor(wall.tileWidth, jpeg, frame.size);
    await (page.camera ? new Promise(requestAnimationFrame) : wall.turn());
    if (!page.camera && !isPast) {
      wall.show(frame, bitmap);
    } else if (frame.camera !== page.camera || isPast !== timeline.isPast || number < page.shown) {
      bitmap.close();
    } else {
      page.shown = number;
      showLarge(frame, bitmap);
      timeline.shown(frame, isPast);
    }
  } finally {
    drawn();
  }
}

function showLarge(frame, bitmap) {
  const before = `${stage.size} ${page.atUs}`;
  text('count', String(stage.show(frame, bitmap)));
  page.atUs = frame.type === 'past' ? frame.heard_us : Infinity;
  if (`${stage.size} ${page.atUs}` !== before) drawPlaces();
  text('identity', `${frame.camera}/${frame.epoch}/${frame.seq}`);
  text('time', clock(frame.time_us));
  page.shownMs = performance.now();
}

function toggle(button) {
  const on = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(on));
  stage.layer(button.dataset.layer, on);
}

function pressed(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (editor.key(event)) {
    event.preventDefault();
    return;
  }
  if (target.matches('input:not([type=range]), select, textarea')) {
    if (key === 'Escape') target.blur();
    return;
  }
  if (target.matches('button') && (key === ' ' || key === 'Enter')) return;
  if (!shortcuts.allow(key)) return;
  if (key === '?') help.showModal();
  else if (key === 'Escape') showWall();
  else if (page.cameras[Number(key) - 1]) location.hash = page.cameras[Number(key) - 1];
  else if (page.camera) pressedAtCamera(event);
  else if (key.startsWith('Arrow') && target === document.body) wall.focus(page.cameras[0]);
}

function pressedAtCamera(event) {
  const key = CSS.escape(event.key.toLowerCase()); // Caps Lock is no reason
  const button = document.querySelector(`#toggles [aria-keyshortcuts="${key}"]`);
  if (button) button.click();
  else if (event.key === '[') beside(-1);
  else if (event.key === ']') beside(1);
  else timeline.key(event);
}

for (const button of document.querySelectorAll('#toggles [data-layer]')) {
  button.addEventListener('click', () => toggle(button));
}
for (const [id, act] of [
  ['back', showWall],
  ['previous', () => beside(-1)],
  ['next', () => beside(1)],
  ['keys', () => help.showModal()],
  ['log-out', logOut],
]) document.getElementById(id).addEventListener('click', act);
for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('click', ({ target }) => { // outside of it, or on its button
    if (target === dialog || target.matches('.close')) dialog.close();
  });
}
document.addEventListener('keydown', pressed);
window.addEventListener('hashchange', route);
setInterval(() => {
  alerts.tick();
  tell();
}, 1000);
setInterval(() => { if (page.camera) timeline.tick(); }, 200);

live.open();
