// The view Book: my bookings, the list of events with search and paging, and a form for a new event. What an event looks like and how it
// is booked is in event.js. The list is read once by request, and after that it is pushed (stream.js).

import { Problem, ask, wordNodes, words } from './api.js';
import { mountCreate } from './create.js';
import { el, say, setText } from './dom.js';
import { createEvent } from './event.js';
import { number, t } from './i18n.js';
import { mountMine } from './mine.js';
import { once } from './once.js';
import { kept } from './storage.js';
import * as stream from './stream.js';

const PAGE = 10;
const SEARCH_PAUSE_MS = 250;
// An event that ends is shown as over without any push.
const CLOCK_MS = 20_000;

export function mount(root) {
  // The `after` of each page on the way to this one; the first page has none.
  let way = [];
  let next;
  // The query whose answer is shown.
  let shown;
  let name = '';
  let heard = 0;
  let stale = true;
  const rows = new Map();

  const mine = mountMine({ booked });
  const user = el('input', { id: 'you', maxlength: 100, autocomplete: 'off', spellcheck: 'false' });
  user.value = kept.read('user', 'guest');
  user.addEventListener('change', () => kept.write('user', user.value.trim() || 'guest'));
  const search = el('input', { id: 'search', type: 'search', maxlength: 200, autocomplete: 'off', spellcheck: 'false' });
  let typing;
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => find(search.value.trim()), SEARCH_PAUSE_MS);
  });
  const notice = el('p', { class: 'notice bad', hidden: true });
  const empty = el('p', { class: 'notice' }, t('book.loading'));
  const list = el('ul', { class: 'events', 'aria-label': t('book.events') });
  const turn = once(turnNow, () => [previous, following], 0);
  const previous = el('button', { type: 'button', onclick: () => turn(-1) }, t('book.previous'));
  const following = el('button', { type: 'button', onclick: () => turn(1) }, t('book.next'));
  const page = el('span', { class: 'muted number' });
  const pages = el('nav', { class: 'line apart', 'aria-label': t('book.events'), hidden: true }, previous, page, following);
  root.append(
    el('div', { class: 'tools' },
      el('div', { class: 'field' }, el('label', { for: 'search' }, t('book.search')), search),
      el('div', { class: 'field' }, el('label', { for: 'you' }, t('book.you')), user)),
    notice, empty, list, pages, mine.element, mountCreate({ created }),
  );

  stream.on('seats', (body) => {
    heard += 1;
    if (body.problem) failed(new Problem(body.problem, body.problem.status, false));
    else show(body);
  });
  stream.on('state', (state) => {
    if (state === 'open' && stale) load();
    if (state === 'open') mine.refresh();
    else if (rows.size > 0) stale = true;
  });
  document.addEventListener('cancelled', ({ detail }) => rows.get(detail.event)?.cancelled());
  document.addEventListener('openbookings', () => rows.forEach((row) => row.look()));
  setInterval(() => rows.forEach((row) => row.tick()), CLOCK_MS);
  // The other view does not wait for it.
  load();

  function query() {
    const parts = new URLSearchParams({ limit: PAGE });
    if (name) parts.set('name', name);
    if (way.length > 0) parts.set('after', way.at(-1));
    return String(parts);
  }

  async function load() {
    const asked = query();
    // First: what is pushed from here on is this list, and newer than the answer.
    stream.follow(asked);
    const before = heard;
    try {
      const body = await ask(`/events?${asked}`);
      if (asked === query() && before === heard) show(body);
    } catch (problem) {
      if (asked === query() && before === heard) failed(problem);
    }
  }

  function failed(problem) {
    stale = true;
    if (notice.hidden) say(words(problem));
    // A service that refuses the list is not away.
    const old = problem.status >= 400 && problem.status < 500 ? [] : [' ', t('book.old')];
    notice.replaceChildren(...wordNodes(problem), ...old);
    notice.hidden = false;
    if (rows.size === 0) empty.hidden = true;
  }

  // Rows are kept by their id and only changed, so that the focus and what somebody types stay where they are.
  function show(body) {
    stale = false;
    notice.hidden = true;
    next = body.next;
    shown = query();
    const ids = new Set(body.items.map((event) => event.id));
    for (const [id, row] of rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      // It hears the answer to its booking.
      if (!row.busy()) rows.delete(id);
    }
    body.items.forEach((event, place) => {
      if (!rows.has(event.id)) rows.set(event.id, createEvent(event, { user: () => user.value.trim() || 'guest', booked }));
      const row = rows.get(event.id);
      row.update(event);
      if (list.children[place] !== row.element) list.insertBefore(row.element, list.children[place] ?? null);
    });
    empty.hidden = body.items.length > 0;
    setText(empty, name || way.length > 0 ? t('book.none_found') : t('book.none'));
    showPages();
  }

  function showPages() {
    const focused = document.activeElement;
    pages.hidden = !next && way.length === 0;
    previous.disabled = way.length === 0;
    following.disabled = !next;
    if (pages.contains(focused) && (pages.hidden || focused.disabled)) {
      const other = [previous, following].find((button) => !button.disabled);
      (other ?? root).focus();
    }
    setText(page, t('book.page', { page: number(way.length + 1) }));
  }

  function find(text) {
    if (text === name) return;
    name = text;
    way = [];
    load();
  }

  async function turnNow(step) {
    const before = way;
    way = step > 0 ? [...way, next] : way.slice(0, -1);
    const wanted = way;
    await load();
    if (shown === query()) {
      say(page.textContent);
      list.firstElementChild?.scrollIntoView({ block: 'nearest' });
    } else if (way === wanted) {
      // It could not be read, so it is still the page before.
      way = before;
      stream.follow(query());
    }
  }

  function booked(booking) {
    mine.add(booking);
    // The view Watch shows its way.
    document.dispatchEvent(new CustomEvent('booked', { detail: { id: booking.id } }));
  }

  function created(event) {
    search.value = event.name;
    name = event.name;
    way = [];
    return load();
  }
}
