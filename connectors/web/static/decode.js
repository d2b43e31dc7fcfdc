// JPEG to something that a canvas draws and that is closed afterwards.

/** The whole picture. */
export function decoded(jpeg) {
  return createImageBitmap(jpeg);
}

/**
 * The picture for a tile `width` px wide. Where the browser has WebCodecs it leaves out what the
 * tile could not show, which takes a third of the time at 1080p.
 */
export async function decodedFor(width, jpeg, [frameHeight, frameWidth]) {
  const scale = (2 * width) / frameWidth; // it takes the next smaller eighth
  if (!('ImageDecoder' in window) || scale >= 1) return decoded(jpeg);
  const decoder = new ImageDecoder({
    data: await jpeg.arrayBuffer(),
    type: 'image/jpeg',
    desiredWidth: Math.round(frameWidth * scale),
    desiredHeight: Math.round(frameHeight * scale),
  });
  try {
    return (await decoder.decode()).image;
  } finally {
    decoder.close();
  }
}
