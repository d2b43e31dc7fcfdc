// Masks as maskstream sends them: COCO compressed RLE, {size: [height, width], counts: "…"}.
//
// Nothing here knows the page: take this file along to read the `masks` topic from JavaScript.
// The format is pycocotools' rleToString: run lengths in column-major order, background first,
// 5 bits a character from "0" on, and from the fourth run on as the difference to the run before
// the last.

const MORE = 0x20;
const SIGN = 0x10;

/** Run lengths of `counts`, background first. Throws RangeError on a string that is no RLE. */
export function runs(counts) {
  const lengths = [];
  let at = 0;
  while (at < counts.length) {
    let value = 0;
    let shift = 0;
    let bits = MORE;
    while (bits & MORE) {
      bits = counts.charCodeAt(at) - 48;
      if (!(bits >= 0 && bits < 64) || shift > 30) {
        throw new RangeError(`RLE: character ${at} of ${counts.length} does not belong there`);
      }
      value |= (bits & 0x1f) << shift;
      shift += 5;
      at += 1;
    }
    if (bits & SIGN && shift < 32) value |= -1 << shift;
    if (lengths.length > 2) value += lengths[lengths.length - 2];
    if (value < 0) throw new RangeError(`RLE: run ${lengths.length} has length ${value}`);
    lengths.push(value);
  }
  return lengths;
}

/**
 * The whole mask as {width, height, data}: data is a Uint8Array of 0 and 1, row by row.
 * Throws RangeError when the runs do not fill the size.
 */
export function decode(mask) {
  const [height, width] = mask.size;
  const data = new Uint8Array(width * height);
  for (const [column, from, to] of columns(mask)) {
    for (let row = from; row < to; row += 1) data[row * width + column] = 1;
  }
  return { width, height, data };
}

/** How many pixels the mask has. */
export function area(mask) {
  let pixels = 0;
  forEachRun(mask, (start, end) => { pixels += end - start; });
  return pixels;
}

/**
 * The part of the mask inside its tight box, as {x, y, width, height, data}, data as in decode;
 * null for an empty mask. What it costs depends on the object and not on the frame.
 */
export function crop(mask) {
  const [height] = mask.size;
  const pieces = columns(mask);
  if (pieces.length === 0) return null;
  let [top, bottom] = [height, 0];
  for (const [, from, to] of pieces) {
    top = Math.min(top, from);
    bottom = Math.max(bottom, to);
  }
  const x = pieces[0][0];
  const width = pieces[pieces.length - 1][0] - x + 1;
  const data = new Uint8Array(width * (bottom - top));
  for (const [column, from, to] of pieces) {
    for (let row = from; row < to; row += 1) data[(row - top) * width + column - x] = 1;
  }
  return { x, y: top, width, height: bottom - top, data };
}

/** Call `visit(column, first row, row after the last)` for the runs, cut where columns end. */
export function forEachPiece(mask, visit) {
  const [height] = mask.size;
  forEachRun(mask, (start, end) => {
    for (let from = start; from < end;) {
      const column = Math.floor(from / height);
      const to = Math.min(end, (column + 1) * height);
      visit(column, from - column * height, to - column * height);
      from = to;
    }
  });
}

function columns(mask) {
  const pieces = [];
  forEachPiece(mask, (...piece) => pieces.push(piece));
  return pieces;
}

function forEachRun({ size: [height, width], counts }, visit) {
  let position = 0;
  runs(counts).forEach((length, index) => {
    const end = position + length;
    if (end > width * height) throw new RangeError(`RLE: runs go beyond ${width}×${height}`);
    if (index % 2 === 1 && length > 0) visit(position, end);
    position = end;
  });
  if (position !== width * height) {
    throw new RangeError(`RLE: runs fill ${position} of ${width}×${height} pixels`);
  }
}
