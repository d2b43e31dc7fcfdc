// Zones and lines above a picture: SVG in fractions of it, and names that keep their shape.

import { part } from '/static/words.js';

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
