// Keys with a single character can be switched off: who speaks to the machine, or hits keys without
// wanting to, sets them off by chance (WCAG 2.1, 2.1.4). The browser remembers it.

const STORED = 'maskstream.shortcuts';

export class Shortcuts {
  #box = document.querySelector('#shortcuts input');
  #told = new Map([...document.querySelectorAll('[aria-keyshortcuts]')] // element -> its key
    .map((each) => [each, each.getAttribute('aria-keyshortcuts')]));

  constructor() {
    this.#box.checked = stored() !== 'off';
    this.#box.addEventListener('change', () => {
      store(this.#box.checked ? 'on' : 'off');
      this.#tell();
    });
    this.#tell();
  }

  /** Whether a key may do something. */
  allow(key) {
    return this.#box.checked || !isCharacter(key);
  }

  #tell() {
    document.body.classList.toggle('without-shortcuts', !this.#box.checked);
    for (const [element, key] of this.#told) {
      if (this.allow(key)) element.setAttribute('aria-keyshortcuts', key);
      else element.removeAttribute('aria-keyshortcuts');
    }
  }
}

function isCharacter(key) {
  return [...key].length === 1 && key !== ' ';
}

function stored() {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null; // where the browser keeps nothing
  }
}

function store(value) {
  try {
    localStorage.setItem(STORED, value);
  } catch { /* then it is for this page alone */ }
}
