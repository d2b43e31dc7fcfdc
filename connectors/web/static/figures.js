// The figures of one camera, as the server measures them.

import { condition, text } from '/static/words.js';

const KEPT = 120; // seconds in the trend
const AT_LEAST = 30; // seconds its width stands for

const GAP_WORDS = {
  stale: 'skipped because they were too old to be worth a computation',
  overflow: 'dropped because a queue was full',
  expired: 'no longer kept when they were due',
  dead_letter: 'records that could not be handled',
  quarantined: 'from a camera that sends too many bad records',
};

export class Figures {
  #trend = new Map(); // camera -> medians, oldest first

  /** Take the figures of all cameras, once a second, into their trends. */
  take(all) {
    for (const [camera, { age_p50_ms: age }] of Object.entries(all)) {
      const medians = this.#trend.get(camera) ?? [];
      this.#trend.set(camera, [...medians, age].slice(-KEPT));
    }
  }

  /** Show those of one camera; undefined shows that nothing is known yet. */
  show(camera, stats) {
    text('rate', stats?.rate?.toFixed(1) ?? '–');
    text('age-p50', milliseconds(stats?.age_p50_ms));
    text('age-p99', milliseconds(stats?.age_p99_ms));
    showState(stats);
    showModel(stats?.model);
    showGaps(stats?.gaps ?? {});
    showTrend(this.#trend.get(camera) ?? [null]);
  }
}

function milliseconds(value) {
  return value == null ? '–' : Math.round(value).toLocaleString('en');
}

function showState(stats) {
  const [kind, words] = condition(stats);
  document.getElementById('camera-state').dataset.state = kind;
  text('camera-state', words);
}

function showModel(model) {
  const element = document.getElementById('model');
  if (!model) {
    element.textContent = '–';
    return;
  }
  const precision = document.createElement('em');
  precision.textContent = model.precision;
  element.replaceChildren(model.name, precision);
  element.title = `weights sha256 ${model.sha256}`;
}

function showGaps(gaps) {
  const chips = Object.entries(gaps).map(([reason, count]) => {
    const chip = document.createElement('em');
    chip.textContent = `${reason.replace('_', ' ')} ${count.toLocaleString('en')}`;
    chip.title = `Frames without a result: ${GAP_WORDS[reason] ?? reason}`;
    return chip;
  });
  document.getElementById('gaps').replaceChildren(...(chips.length ? chips : ['none']));
}

function showTrend(medians) {
  const trend = document.getElementById('trend');
  trend.classList.toggle('unknown', medians.every((value) => value === null));
  const known = medians.map((value) => value ?? 0);
  const top = Math.max(50, ...known) * 1.15;
  const step = 120 / (Math.max(known.length, AT_LEAST) - 1);
  const points = known.map((value, index) => {
    const x = 120 - (known.length - 1 - index) * step;
    return `${x.toFixed(1)},${(32 - (value / top) * 32).toFixed(1)}`;
  });
  const [area, line] = trend.children;
  const first = points[0].split(',')[0];
  line.setAttribute('d', `M${points.join('L')}`);
  area.setAttribute('d', `M${first},32L${points.join('L')}L120,32Z`);
}
