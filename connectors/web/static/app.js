// Wires connection, picture, figures and alerts together.

import { Alerts } from '/static/alerts.js';
import { Figures, text } from '/static/figures.js';
import { Live } from '/static/live.js';
import { Stage } from '/static/stage.js';

const LINK_WORDS = { connecting: 'Connecting', open: 'Live', lost: 'Reconnecting' };
const STATE_WORDS = {
  connecting: 'Connecting to the camera',
  lost: 'The camera is lost',
  ended: 'The video has ended',
  failed: 'The camera failed',
};
const STILL_AFTER_MS = 5000;
const YEAR_2000_US = 946_684_800_000_000;

const stage = new Stage(document.getElementById('stage'));
const figures = new Figures();
const alerts = new Alerts();
const page = { camera: null, cameras: [], zones: [], stats: {}, came: 0, shown: 0, shownMs: 0, aheadMs: 0 };

const live = new Live({
  state(state) {
    document.getElementById('link').dataset.state = state;
    document.querySelector('#link span').textContent = LINK_WORDS[state];
    document.body.classList.toggle('lost', state === 'lost');
  },
  message(message) {
    if (message.type === 'hello') greet(message);
    if (message.type === 'zones') takeZones(message.zones);
    if (message.type === 'cameras') offerCameras(message.cameras);
    if (message.type === 'stats') showStats(message.cameras);
    if (message.type === 'alert') showAlert(message);
  },
  frame: showFrame,
});

function greet({ now_us: nowUs }) {
  page.aheadMs = Date.now() - nowUs / 1000;
  alerts.clear();
}

function takeZones(zones) {
  page.zones = zones;
  drawZones();
}

function offerCameras(cameras) {
  page.cameras = cameras;
  const nav = document.getElementById('cameras');
  nav.hidden = cameras.length < 2;
  nav.replaceChildren(...cameras.map((camera) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = camera;
    button.addEventListener('click', () => choose(camera));
    return button;
  }));
  const wanted = page.camera ?? location.hash.slice(1);
  const camera = cameras.includes(wanted) ? wanted : cameras[0];
  if (camera && camera !== page.camera) choose(camera);
  markCameras();
}

function choose(camera) {
  page.camera = camera;
  page.shownMs = 0;
  history.replaceState(null, '', `#${camera}`);
  stage.clear();
  ['count', 'time', 'identity'].forEach((id) => text(id, '–'));
  live.watch(camera);
  figures.show(camera, page.stats[camera]);
  drawZones();
  markCameras();
}

function markCameras() {
  const alarmed = alerts.cameras();
  for (const button of document.querySelectorAll('#cameras button')) {
    const camera = button.textContent;
    button.setAttribute('aria-pressed', String(camera === page.camera));
    button.classList.toggle('alarmed', alarmed.has(camera));
  }
}

function drawZones() {
  const zones = page.zones.filter(({ camera }) => camera === page.camera);
  stage.zones(zones, alerts.zones(page.camera));
}

function showStats(cameras) {
  page.stats = cameras;
  figures.take(cameras);
  if (page.camera) figures.show(page.camera, cameras[page.camera]);
}

function showAlert({ alert, heard_us: heardUs, picture }) {
  alerts.add(alert, heardUs / 1000 + page.aheadMs, picture);
  drawZones();
  markCameras();
}

async function showFrame(frame, jpeg, drawn) {
  page.came += 1;
  const number = page.came;
  try {
    const bitmap = await createImageBitmap(jpeg);
    await new Promise(requestAnimationFrame);
    if (frame.camera !== page.camera || number < page.shown) {
      bitmap.close();
      return;
    }
    page.shown = number;
    text('count', String(stage.show(frame, bitmap)));
    text('identity', `${frame.camera}/${frame.epoch}/${frame.seq}`);
    text('time', clock(frame.time_us));
    page.shownMs = performance.now();
  } finally {
    drawn();
  }
}

/** Time of day; for a file that does not say when it was made, the time since it began. */
function clock(timeUs) {
  if (timeUs > YEAR_2000_US) return new Date(timeUs / 1000).toLocaleTimeString();
  const seconds = timeUs / 1e6;
  const pad = (value, width) => String(value).padStart(width, '0');
  return `${pad(Math.floor(seconds / 60), 2)}:${pad((seconds % 60).toFixed(1), 4)}`;
}

function toggle(button) {
  const on = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(on));
  stage.layer(button.dataset.layer, on);
}

for (const button of document.querySelectorAll('#toggles button')) {
  button.addEventListener('click', () => toggle(button));
}

document.addEventListener('keydown', ({ key, ctrlKey, metaKey, altKey }) => {
  if (ctrlKey || metaKey || altKey) return;
  const button = document.querySelector(`#toggles button[aria-keyshortcuts="${CSS.escape(key)}"]`);
  if (button) toggle(button);
  const camera = page.cameras[Number(key) - 1];
  if (camera) choose(camera);
});

setInterval(() => {
  alerts.tick();
  const { state, reason } = page.stats[page.camera] ?? {};
  const isAway = state === 'lost' || state === 'failed';
  const still = page.shownMs > 0 && (isAway || performance.now() - page.shownMs > STILL_AFTER_MS);
  document.getElementById('stage').classList.toggle('still', still);
  const words = STATE_WORDS[state] ?? (still ? 'No new picture' : 'Waiting for the first picture');
  text('veil', reason ? `${words}: ${reason}` : words);
}, 1000);

live.open();
