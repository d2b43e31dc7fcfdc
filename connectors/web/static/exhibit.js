// The stored picture or clip of an alert, in a dialog.

import { part, text } from '/static/words.js';

const AGAIN_MS = 3000; // a clip takes some seconds after its last frame

export class Exhibit {
  #dialog = document.getElementById('exhibit');
  #frame = document.getElementById('exhibit-frame');
  #timer = 0;

  constructor() {
    this.#dialog.addEventListener('close', () => {
      clearTimeout(this.#timer);
      this.#frame.replaceChildren(); // a clip that plays stops
    });
  }

  /** Show the 'snapshot' or 'clip' of an alert, at `url`. */
  show({ rule, camera }, kind, url) {
    text('exhibit-title', `${rule} · ${camera}`);
    this.#load(kind, url);
    this.#dialog.showModal();
  }

  #load(kind, url) {
    const shown = part(kind === 'clip' ? 'video' : 'img');
    const playing = { controls: true, autoplay: true, muted: true, loop: true, playsInline: true };
    if (kind === 'clip') Object.assign(shown, playing, { ariaLabel: 'The seconds around its opening, with masks' });
    else shown.alt = 'The frame in which the alert opened, with masks';
    shown.addEventListener('error', () => {
      if (!shown.isConnected) return; // closed meanwhile, or another is shown
      this.#frame.replaceChildren(part('p', '', 'Not stored yet, or deleted. Looking again…'));
      this.#timer = setTimeout(() => this.#load(kind, url), AGAIN_MS);
    });
    shown.src = url;
    this.#frame.replaceChildren(shown);
  }
}
