// A zone or line that is drawn, as the lines of a configuration. Points are fractions of the
// picture's width and height, as the configuration has them.

const DIGITS = 4; // a fifth of a pixel of 1080p
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const PLAIN = /^(?!(null|true|false)$)[a-z][a-z0-9-]*$/;
const MOST_CORNERS = 200;
const NOTHING = 1e-12; // a cross product below this is rounding

/** The YAML of {kind: 'zone' | 'line', name, camera, points, direction}. */
export function yamlOf({ kind, name, camera, points, direction }) {
  const corners = `[${points.map((point) => `[${point.map(round).join(', ')}]`).join(', ')}]`;
  const head = `id: ${quoted(name)}`;
  return kind === 'zone'
    ? `zones:\n  - {${head}, camera: ${quoted(camera)}, polygon: ${corners}}\n`
    : `rules:\n  - {${head}, kind: crossing, camera: ${quoted(camera)}, line: ${corners}, direction: ${direction}}\n`;
}

/** What is still to be done or wrong about it but for its name, in words; '' where nothing is. */
export function faultOf({ kind, points, isClosed }) {
  if (kind === 'line' && points.length < 2) return 'Click at the line’s first end, then at its second.';
  if (kind === 'zone' && points.length < 3) return 'Click at each corner.';
  if (kind === 'zone' && !isClosed) return 'Click at the first corner, or press Enter, to close it.';
  const own = points.map((point) => point.map(round));
  if (kind === 'line' && Math.hypot(own[0][0] - own[1][0], own[0][1] - own[1][1]) < 0.001) {
    return 'The line’s two ends are the same.';
  }
  if (kind === 'zone') {
    if (points.length > MOST_CORNERS) return `A zone has at most ${MOST_CORNERS} corners.`;
    const crossed = crossing(own);
    if (crossed) return crossed;
  }
  return '';
}

/**
 * What is wrong with its name, in words; '' where it can be had. `origin` is the name of what it was
 * made from, if it was, `taken` what others have: {zone: Map id -> camera, line: Set of all rules}.
 */
export function nameFaultOf({ kind, name, origin }, taken) {
  if (!name) return '';
  if (!NAME.test(name)) {
    const odd = name.match(/[^a-z0-9-]/u)?.[0];
    if (odd) return `A name may not have “${odd}”.`;
    return name.startsWith('-') ? 'A name begins with a letter or a digit.' : 'A name has at most 63 characters.';
  }
  if (name === origin || !taken[kind].has(name)) return '';
  return kind === 'zone'
    ? `There is a zone ${name} already, on camera ${taken.zone.get(name)}.`
    : `There is a rule ${name} already.`;
}

export function round(value) {
  return Number(Math.min(1, Math.max(0, value)).toFixed(DIGITS));
}

/** Text that YAML would take for something else stands in quotes. */
function quoted(id) {
  return PLAIN.test(id) ? id : JSON.stringify(id);
}

/** As stream/config/polygon.py judges: sides may share only the corner between neighbours. */
function crossing(corners) {
  const count = corners.length;
  const sides = corners.map((corner, index) => [corner, corners[(index + 1) % count]]);
  for (let i = 0; i < count; i += 1) {
    for (let j = i + 1; j < count; j += 1) {
      if (String(corners[i]) === String(corners[j])) return 'Two corners are the same.';
      const isNext = j === i + 1 || (i === 0 && j === count - 1);
      if (isNext ? folds(sides, i, j, count) : meet(sides[i], sides[j])) {
        return 'The zone crosses itself.';
      }
    }
  }
  return '';
}

function folds(sides, i, j, count) {
  const [[a, b], [, c]] = j === i + 1 ? [sides[i], sides[j]] : [sides[count - 1], sides[0]];
  const along = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]);
  return side(a, b, c) === 0 && along < 0;
}

function meet([a, b], [c, d]) {
  if (side(a, b, c) * side(a, b, d) > 0 || side(c, d, a) * side(c, d, b) > 0) return false;
  return [0, 1].every((k) => (
    Math.min(a[k], b[k]) <= Math.max(c[k], d[k]) && Math.min(c[k], d[k]) <= Math.max(a[k], b[k])
  ));
}

function side(a, b, c) {
  const cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
  return Math.abs(cross) < NOTHING ? 0 : Math.sign(cross);
}
