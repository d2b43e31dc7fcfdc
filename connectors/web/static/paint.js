// Masks and labels on a canvas. The large picture has outlines traced to the pixel; a tile of the
// wall is a tenth of that, so runs of the mask are laid down as bars, which costs next to nothing.

import { short } from '/static/identities.js';
import { contours } from '/static/outline.js';
import { crop, forEachPiece } from '/static/rle.js';

const SMALL_OBJECT = 110; // px on the screen
const SMALL_PICTURE = 560; // px on the screen: there labels are small, and without identities
const EDGE = 2; // px that stay free at the edges of the picture
const FONT = '"Inter", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** What is drawn of a frame: {label, identity, colour, box, mask}. */
export function objectsOf({ result, tracks }, colours) {
  colours.next();
  const identities = new Map((tracks?.tracks ?? []).map((track) => [track.instance, track.id]));
  return (result?.instances ?? []).map(({ label, box, mask }, index) => {
    const identity = identities.get(index) ?? null;
    return { label, identity, colour: colours.of(identity ?? `${label}/0/0`), box, mask };
  });
}

/** The outline of a mask as a Path2D in frame coordinates, to be filled by the even-odd rule. */
export function outlineOf(mask) {
  const path = new Path2D();
  const part = crop(mask);
  for (const polygon of part ? contours(part) : []) {
    path.moveTo(polygon[0], polygon[1]);
    for (let at = 2; at < polygon.length; at += 2) path.lineTo(polygon[at], polygon[at + 1]);
    path.closePath();
  }
  return path;
}

/** Masks as bars; `scale` is canvas pixels over frame pixels, `left` and `top` where it begins. */
export function paintBars(context, objects, scale, left, top) {
  const wide = Math.max(1, Math.floor(1 / scale));
  context.setTransform(scale, 0, 0, scale, left, top);
  context.globalAlpha = 0.55;
  for (const { colour, mask } of objects) {
    context.fillStyle = colour;
    context.beginPath();
    forEachPiece(mask, (column, from, to) => {
      if (column % wide === 0) context.rect(column, from, wide, to - from);
    });
    context.fill();
  }
  context.globalAlpha = 1;
  context.setTransform(1, 0, 0, 1, 0, 0);
}

/** Masks with their outlines, which are in `paths`; `dots` are canvas pixels over CSS pixels. */
export function paintMasks(context, objects, paths, scale, dots) {
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.lineJoin = 'round';
  objects.forEach(({ colour }, index) => {
    context.fillStyle = colour;
    context.globalAlpha = 0.36;
    context.fill(paths[index], 'evenodd');
    context.strokeStyle = '#05070a';
    context.globalAlpha = 0.45;
    context.lineWidth = (3.4 * dots) / scale;
    context.stroke(paths[index]);
    context.strokeStyle = colour;
    context.globalAlpha = 1;
    context.lineWidth = (1.6 * dots) / scale;
    context.stroke(paths[index]);
  });
  context.setTransform(1, 0, 0, 1, 0, 0);
}

/**
 * Labels above their boxes, small ones on small objects; where two would meet, one moves up, or down
 * where the picture ends.
 */
export function paintChips(context, objects, scale, dots) {
  context.setTransform(dots, 0, 0, dots, 0, 0);
  context.textBaseline = 'middle';
  const placed = [];
  const width = context.canvas.width / dots;
  const isSmall = width < SMALL_PICTURE;
  const lowestFirst = [...objects].sort((one, other) => other.box[1] - one.box[1]);
  for (const object of lowestFirst) {
    const box = object.box.map((each) => (each * scale) / dots);
    const size = box[3] - box[1] < SMALL_OBJECT ? 10.5 : 12;
    const chip = measured(context, object, isSmall ? 8.5 : size, isSmall);
    chip.x = Math.max(EDGE, Math.min(box[0], width - chip.width - EDGE));
    place(chip, Math.max(EDGE, box[1] - chip.height - 4), placed);
    placed.push(chip);
    paintChip(context, chip, object);
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
}

function place(chip, y, placed) {
  const met = () => placed.find((other) => cover(chip, other));
  chip.y = y;
  for (let other; (other = met());) chip.y = other.y - chip.height - 2;
  if (chip.y >= EDGE) return;
  chip.y = y;
  for (let other; (other = met());) chip.y = other.y + other.height + 2;
}

function measured(context, { label, identity }, size, isShort) {
  const name = identity && !isShort ? short(identity) : '';
  context.font = `600 ${size}px ${FONT}`;
  const labelWidth = context.measureText(label).width;
  context.font = `400 ${size}px ${FONT}`;
  const nameWidth = name ? context.measureText(name).width + size * 0.4 : 0;
  return {
    name, size, labelWidth, width: labelWidth + nameWidth + size * 2.2, height: size * 1.65,
  };
}

function paintChip(context, { x, y, width, height, size, name, labelWidth }, { label, colour }) {
  const middle = y + height / 2;
  context.fillStyle = 'rgb(9 12 17 / .78)';
  context.beginPath();
  context.roundRect(x, y, width, height, size / 2);
  context.fill();
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x + size * 0.9, middle, size * 0.29, 0, 7);
  context.fill();
  context.font = `600 ${size}px ${FONT}`;
  context.fillStyle = '#f2f5f9';
  context.fillText(label, x + size * 1.55, middle + 0.5);
  context.font = `400 ${size}px ${FONT}`;
  context.fillStyle = '#b4bfcc';
  context.fillText(name, x + size * 1.95 + labelWidth, middle + 0.5);
}

/** Whether two boxes {x, y, width, height} share anything. */
export function cover(one, other) {
  return (
    one.y < other.y + other.height &&
    other.y < one.y + one.height &&
    one.x < other.x + other.width &&
    other.x < one.x + one.width
  );
}

/** What is seen, in words. */
export function described(objects) {
  const counts = new Map();
  for (const { label } of objects) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, count]) => `${count} ${label}`).join(', ') || 'nothing detected';
}
