// The bookings of this tab whose outcome is not known. They stand in My bookings, wherever their event is, until an answer settles them.

import { words } from './api.js';
import { open, send, settle } from './booking.js';
import { el, say } from './dom.js';
import { t } from './i18n.js';

// The element; `booked(booking)` hears of one that turned out to be made.
export function mountOpen({ booked }) {
  const list = el('ul', { class: 'mine open', 'aria-label': t('mine.open') });
  const rows = new Map();
  document.addEventListener('openbookings', draw);
  draw();
  return list;

  function draw() {
    const actions = open();
    const keys = actions.map((action) => action.key);
    for (const [key, row] of rows) {
      if (keys.includes(key) || row.busy()) continue;
      row.element.remove();
      rows.delete(key);
    }
    for (const action of actions) {
      if (rows.has(action.key)) continue;
      rows.set(action.key, createRow(action, { booked }));
      list.append(rows.get(action.key).element);
    }
    list.hidden = rows.size === 0;
  }
}

function createRow(action, { booked }) {
  let busy = false;
  const { name } = action;
  const about = { count: action.body.seats, name };
  const again = el('button', { type: 'button', 'aria-label': t('book.ask_again_for', { name }), onclick: ask }, t('book.ask_again'));
  const leave = el('button', { type: 'button', 'aria-label': t('book.leave_for', { name }), onclick: dismiss }, t('book.leave'));
  const element = el('li', { class: 'notice warn' }, el('p', {}, t('book.unknown', about)), el('p', { class: 'line' }, again, leave));
  return { element, busy: () => busy };

  async function ask() {
    if (busy) return;
    busy = true;
    again.setAttribute('aria-disabled', 'true');
    const focused = element.contains(document.activeElement);
    try {
      const { body, replay } = await send(action);
      booked(body);
      say(t(replay ? 'book.was_done' : 'book.done', about));
    } catch (problem) {
      say(problem.unknown ? t('book.unknown', about) : words(problem));
    }
    busy = false;
    again.removeAttribute('aria-disabled');
    document.dispatchEvent(new Event('openbookings'));
    if (focused && !element.isConnected) document.querySelector('.booking').focus();
  }

  function dismiss() {
    if (busy) return;
    document.querySelector('.booking').focus();
    settle(action.event);
  }
}
