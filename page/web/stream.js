// The tab's one event stream: the server pushes samples, seats and the state of the load. A hidden tab has none: a browser allows six
// connections to one server, for all tabs. After a break it asks for the samples after the last one it has.
//
// The events are those of the server (`history`, `sample`, `seats`, `play`), with the parsed JSON, and `state` of this file:
// `open` or `away`.

const NAMES = ['history', 'sample', 'seats', 'play'];
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;
// A sample is due each 2 seconds. After so long without any event the connection is a dead one, whatever the browser thinks of it.
const SILENCE_MS = 8_000;

const handlers = new Map();
let source = null;
let timer = null;
let running = false;
let pause = FIRST_PAUSE_MS;
let list = '';
let last = '';

// Calls `handler` with each event of this name; what it gives back ends that.
export function on(name, handler) {
  if (!handlers.has(name)) handlers.set(name, new Set());
  handlers.get(name).add(handler);
  return () => handlers.get(name).delete(handler);
}

// Begins; call it when all handlers are there.
export function start() {
  running = true;
  document.addEventListener('visibilitychange', restart);
  restart();
}

// Which list of events the tab shows: a query like `limit=10&name=ki`.
export function follow(query) {
  if (list === query) return;
  list = query;
  if (running) open();
}

function restart() {
  pause = FIRST_PAUSE_MS;
  open();
}

function open() {
  close();
  if (document.hidden) return;
  const query = new URLSearchParams({ list });
  if (last) query.set('after', last);
  source = new EventSource(`/api/stream?${query}`);
  alive();
  source.onopen = () => {
    pause = FIRST_PAUSE_MS;
    alive();
    tell('state', 'open');
  };
  // The browser would try again by itself, but not after an answer like 503, and always after the same pause.
  source.onerror = lost;
  for (const name of NAMES) {
    source.addEventListener(name, (event) => {
      alive();
      last = event.lastEventId || last;
      tell(name, JSON.parse(event.data));
    });
  }
}

function alive() {
  clearTimeout(timer);
  timer = setTimeout(lost, SILENCE_MS);
}

function lost() {
  close();
  timer = setTimeout(open, pause);
  pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  tell('state', 'away');
}

function close() {
  clearTimeout(timer);
  source?.close();
  source = null;
}

function tell(name, value) {
  for (const handler of handlers.get(name) ?? []) handler(value);
}
