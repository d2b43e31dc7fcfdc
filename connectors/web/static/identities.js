// Identities as people tell them apart: a short name, and a colour that stays while they are seen
// and is unlike their neighbours'.

/** Light enough for a dark picture and strong enough for a bright one; red is left to alerts. */
export const PALETTE = [
  '#4cc9f0', '#ffd166', '#b388ff', '#7ae582', '#ff9f5a', '#ff8fc7',
  '#3ddbc5', '#dcea5f', '#7aa2ff', '#ffc2b0', '#a5e8ff', '#d6a2e8',
];

const FORGOTTEN_AFTER = 150; // frames

export class Colours {
  #frame = 0;
  #known = new Map(); // identity -> {colour, seen}

  /** Call once a frame, before its identities are asked for. */
  next() {
    this.#frame += 1;
    for (const [identity, { seen }] of this.#known) {
      if (this.#frame - seen > FORGOTTEN_AFTER) this.#known.delete(identity);
    }
  }

  of(identity) {
    const known = this.#known.get(identity) ?? { colour: this.#free(preferred(identity)) };
    known.seen = this.#frame;
    this.#known.set(identity, known);
    return PALETTE[known.colour];
  }

  #free(first) {
    const taken = new Set([...this.#known.values()].map(({ colour }) => colour));
    const slots = PALETTE.map((_, offset) => (first + offset) % PALETTE.length);
    return slots.find((slot) => !taken.has(slot)) ?? first;
  }
}

/** The same in connectors/annotate/drawing.py, so that page and video mostly agree. */
function preferred(identity) {
  const [index, seq] = identity.split('/').reverse();
  return (Number(seq) * 7 + Number(index)) % PALETTE.length || 0;
}

/** The end of an identity, camera/epoch/seq/index: what tells two of one camera apart. */
export function short(identity) {
  const [index, seq] = identity.split('/').reverse();
  return index === '0' ? `#${seq}` : `#${seq}.${index}`;
}
