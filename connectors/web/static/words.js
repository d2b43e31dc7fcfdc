// What is said in words in more than one place.

export const STILL_AFTER_MS = 5000;

const STATE_WORDS = {
  connecting: 'Connecting to the camera',
  lost: 'The camera is lost',
  ended: 'The video has ended',
  failed: 'The camera failed',
};
const YEAR_2000_US = 946_684_800_000_000;

/** Whether a camera's picture is no longer what is there: `shownMs` is when it last changed. */
export function isStill(stats, shownMs) {
  const isAway = stats?.state === 'lost' || stats?.state === 'failed';
  return shownMs > 0 && (isAway || performance.now() - shownMs > STILL_AFTER_MS);
}

/** Why there is no new picture. */
export function whyStill({ state, reason } = {}, shownMs = 0) {
  const words = STATE_WORDS[state] ?? (shownMs ? 'No new picture' : 'Waiting for the first picture');
  return reason ? `${words}: ${reason}` : words;
}

/** A camera's state, and what ails it, as [kind, words]: kind is for the style sheet. */
export function condition(stats) {
  const state = stats?.state ?? 'waiting';
  const ails = ailing(stats);
  const words = [state, stats?.reason].filter(Boolean).join(': ');
  return [ails && state === 'live' ? 'ailing' : state, [words, ails].filter(Boolean).join(' · ')];
}

/** What ails a camera or its pictures, and what of it is skipped, in words. */
export function ailing({ conditions = {}, skipped, without = null, old_s: old = null } = {}) {
  const ails = Object.entries(conditions)
    .filter(([name]) => name !== 'lost') // which is a state as well
    .map(([name, { detail }]) => [name, detail].filter(Boolean).join(': '));
  if (skipped) ails.unshift(`skips ${percent(skipped.ratio)}`);
  if (without) ails.push(`no ${without.what} for ${duration(without.for_s)}`);
  if (old) ails.push(`the picture is ${duration(old)} old`);
  return ails.join(' · ');
}

function percent(ratio) {
  return ratio < 0.01 ? 'under 1 %' : `${Math.round(ratio * 100)} %`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/** Time of day; for a file that does not say when it was made, the time since it began. */
export function clock(timeUs) {
  if (timeUs > YEAR_2000_US) return new Date(timeUs / 1000).toLocaleTimeString();
  const seconds = timeUs / 1e6;
  const pad = (value, width) => String(value).padStart(width, '0');
  return `${pad(Math.floor(seconds / 60), 2)}:${pad((seconds % 60).toFixed(1), 4)}`;
}

/** Write `value` into the element with an id, where it says something else. */
export function text(id, value) {
  write(document.getElementById(id), value);
}

export function write(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

/** An element with a class and a text. */
export function part(kind, name = '', content = '') {
  const element = document.createElement(kind);
  if (name) element.className = name;
  element.textContent = content;
  return element;
}
