// The connection: one WebSocket that comes back by itself.
//
// A picture is two messages, its JSON (`frame`, or `past` where it was asked for) and then its JPEG.
// The page says when it is done with one, and the server sends little ahead of that: a slow or
// hidden page skips frames instead of falling behind.

const FIRST_RETRY_MS = 400;
const LAST_RETRY_MS = 5000;
const SESSION_ENDED = 1008; // policy violation (RFC 6455, 7.4.1)

/**
 * Calls on.state('open' | 'lost'), on.message(json) for all but pictures, and
 * on.frame(json, jpeg: Blob, drawn: () => void). A try that fails is not told: it is lost still.
 */
export class Live {
  #on;
  #socket = null;
  #view = null;
  #retryMs = FIRST_RETRY_MS;
  #timer = 0;

  constructor(on) {
    this.#on = on;
    window.addEventListener('online', () => this.#again());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#again();
    });
  }

  open() {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(`${scheme}//${location.host}/live`);
    socket.binaryType = 'blob';
    this.#socket = socket;
    let wasOpen = false;
    socket.addEventListener('open', () => {
      wasOpen = true;
      this.#opened();
    });
    socket.addEventListener('close', ({ code }) => {
      this.#closed(socket);
      if (!wasOpen || code === SESSION_ENDED) askToLogIn();
    });
    this.#listen(socket);
  }

  /** Look at one camera, large. */
  watch(camera) {
    this.#look({ camera });
  }

  /** Look at the tiles of `cameras`. */
  wall(cameras) {
    this.#look({ wall: cameras });
  }

  /**
   * Ask for one picture of before: {camera, heard_us}, the nearest to when it came,
   * {camera, number, step}, so many beside another, or {camera, epoch, seq}, a frame. Until the
   * next `watch` no other comes.
   */
  past(asked) {
    this.#say({ past: asked });
  }

  #look(view) {
    this.#view = view;
    this.#say(view);
  }

  #listen(socket) {
    let announced = null;
    socket.addEventListener('message', ({ data }) => {
      if (typeof data !== 'string') {
        const { type, camera } = announced;
        const drawn = () => { if (type === 'frame') this.#say({ drawn: camera }, socket); };
        this.#on.frame(announced, data, drawn);
        return;
      }
      const message = JSON.parse(data);
      if (message.type === 'frame' || message.type === 'past') announced = message;
      else this.#on.message(message);
    });
  }

  #opened() {
    this.#retryMs = FIRST_RETRY_MS;
    this.#on.state('open');
    if (this.#view) this.#say(this.#view);
  }

  #closed(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#on.state('lost');
    const jitter = 0.75 + Math.random() / 2;
    this.#timer = setTimeout(() => this.open(), this.#retryMs * jitter);
    this.#retryMs = Math.min(this.#retryMs * 1.7, LAST_RETRY_MS);
  }

  #again() {
    if (this.#socket) return;
    clearTimeout(this.#timer);
    this.#retryMs = FIRST_RETRY_MS;
    this.open();
  }

  #say(message, socket = this.#socket) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }
}

/** Where the cookie has ended, show the form: a socket does not say why it is refused. */
async function askToLogIn() {
  const answer = await fetch('/', { method: 'HEAD' }).catch(() => null); // nobody is there
  if (answer?.status === 401) location.reload();
}
