// Zones and lines above a picture: SVG in fractions of it, and names that keep their shape.

import { cover } from '/static/paint.js';
import { part } from '/static/words.js';

const EDGE = 2; // px that stay free at the edges of the picture
const BESIDE = 6; // px of a name from its corner
const SVG = 'http://www.w3.org/2000/svg';

/** A zone's area. */
export function areaOf({ polygon }, alarmed) {
  return shape('polygon', { points: polygon.map((point) => point.join()).join(' ') }, alarmed);
}

/** A line. */
export function strokeOf({ line: [[x1, y1], [x2, y2]] }, alarmed) {
  return shape('line', { x1, y1, x2, y2 }, alarmed);
}

/** A zone's name, at its topmost corner. */
export function tagOf({ id, polygon }, alarmed) {
  const [x, y] = [...polygon].sort((one, other) => one[1] - other[1] || one[0] - other[0])[0];
  return at(part('span', alarmed ? 'tag alarmed' : 'tag', id), x, y);
}

/**
 * A line's name, a spot at its first end, and an arrow that points which way counts. `ratio` is
 * the picture's width over its height.
 */
export function tagOfLine({ id, line: [[x1, y1], [x2, y2]], direction }, alarmed, ratio) {
  const state = alarmed ? ' alarmed' : '';
  const arrow = part('i', `arrow${state}`, direction === 'any' ? '↔' : '→');
  const turn = direction === 'right-to-left' ? Math.PI : 0;
  // Right as one walks along the line; y points down.
  arrow.style.rotate = `${Math.atan2((x2 - x1) * ratio, y1 - y2) + turn}rad`;
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  return [
    at(part('i', `spot${state}`), x1, y1),
    at(arrow, x, y),
    at(part('span', `tag${state}`, id), x2, y2),
  ];
}

/** Keep the names in `tags` within it, and off each other: the lower of two moves down. */
export function spread(tags) {
  const { clientWidth: width, clientHeight: height } = tags;
  const placed = [];
  const highestFirst = [...tags.querySelectorAll('.tag')]
    .map((tag) => ({ tag, x: tag.offsetLeft, y: tag.offsetTop }))
    .sort((one, other) => one.y - other.y);
  for (const { tag, x, y } of highestFirst) {
    const own = { width: tag.offsetWidth, height: tag.offsetHeight };
    own.x = within(x + BESIDE, width - own.width);
    own.y = within(y + BESIDE, height - own.height);
    for (let met; (met = placed.find((other) => cover(own, other)));) own.y = met.y + met.height + 2;
    placed.push(own);
    tag.style.translate = `${own.x - x}px ${own.y - y}px`;
  }
}

function within(value, most) {
  return Math.max(EDGE, Math.min(value, most - EDGE));
}

export function at(element, x, y) {
  element.style.left = `${x * 100}%`;
  element.style.top = `${y * 100}%`;
  return element;
}

export function shape(kind, attributes, alarmed = false) {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.classList.toggle('alarmed', alarmed);
  return element;
}
