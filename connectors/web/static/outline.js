// The boundary of a mask as closed polygons, holes included.

const RIGHT = 0;
const STEP = [[1, 0], [0, 1], [-1, 0], [0, -1]]; // right, down, left, up
// The pixels ahead of a corner when walking with the mask on the right hand:
// [left ahead, right ahead] for each direction, relative to the corner.
const AHEAD = [
  [[0, -1], [0, 0]],
  [[0, 0], [-1, 0]],
  [[-1, 0], [-1, -1]],
  [[-1, -1], [0, -1]],
];

/**
 * Closed polygons around a crop of rle.js, each a flat [x, y, x, y, …] in frame coordinates,
 * through the middles of the pixel edges: corners are cut by half a pixel at most, so every
 * pixel's centre stays on its own side. Fill them by the even-odd rule.
 */
export function contours({ x, y, width, height, data }) {
  const inside = (px, py) =>
    px >= 0 && py >= 0 && px < width && py < height && data[py * width + px] === 1;
  const walked = new Uint8Array(data.length); // top edges; every loop has one
  const found = [];
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const top = inside(column, row) && !inside(column, row - 1);
      if (top && !walked[row * width + column]) {
        found.push(walk(column, row, inside, (px, py) => { walked[py * width + px] = 1; }));
      }
    }
  }
  for (const polygon of found) {
    for (let at = 0; at < polygon.length; at += 2) {
      polygon[at] += x;
      polygon[at + 1] += y;
    }
  }
  return found;
}

function walk(startX, startY, inside, mark) {
  const polygon = [];
  let [x, y, direction, straight] = [startX, startY, RIGHT, 0];
  do {
    if (direction === RIGHT) mark(x, y);
    const [dx, dy] = STEP[direction];
    if (straight > 1) polygon.length -= 2; // only the ends of a straight run matter
    polygon.push(x + dx / 2, y + dy / 2);
    x += dx;
    y += dy;
    const turned = turn(x, y, direction, inside);
    straight = turned === direction ? straight + 1 : 0;
    direction = turned;
  } while (x !== startX || y !== startY || direction !== RIGHT);
  return polygon;
}

function turn(x, y, direction, inside) {
  const [[lx, ly], [rx, ry]] = AHEAD[direction];
  if (inside(x + lx, y + ly)) return (direction + 3) % 4; // corners that touch are joined
  return inside(x + rx, y + ry) ? direction : (direction + 1) % 4;
}
