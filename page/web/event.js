// One event in the list: what it is, its seats, and how it is booked. Names are text, whatever they look like.

import { words, wordNodes } from './api.js';
import { begin, send, settle, waiting } from './booking.js';
import { el, say, setText } from './dom.js';
import { span, t } from './i18n.js';
import { calm } from './once.js';
import { createSeats, most } from './seats.js';

// `{ element, update(event), tick(), busy(), look(), cancelled() }`: `busy` whether a booking is on its way, `look` after an open one was
// asked for elsewhere, `cancelled` after a booking was given back. `user()` is who books, `booked(booking)` hears of it.
export function createEvent(first, { user, booked }) {
  let event = first;
  let busy = false;
  const { id, name } = first;

  const title = el('h3', {}, name);
  const when = el('p', { class: 'small muted' });
  const seats = createSeats();
  const badge = el('span', { class: 'badge', hidden: true });
  const amount = el('input', { type: 'number', min: 1, step: 1, value: 1, inputmode: 'numeric', 'aria-label': t('book.seats_for', { name }) });
  const fewer = el('button', { type: 'button', 'aria-label': t('book.fewer', { name }), onclick: () => step(-1) }, '−');
  const more = el('button', { type: 'button', 'aria-label': t('book.more', { name }), onclick: () => step(1) }, '+');
  const button = el('button', { class: 'primary', 'aria-label': t('book.do_for', { name }) }, t('book.do'));
  const form = el('form', { class: 'choose', novalidate: true, onsubmit: submit, onkeydown: noRepeat }, fewer, amount, more, button);
  const result = el('div', { class: 'result', hidden: true });
  const element = el('li', { class: 'card event', tabindex: -1, 'data-event': id },
    el('div', { class: 'what' }, title, when, seats.bar, el('div', { class: 'line' }, seats.words, badge)),
    form, result);

  look();
  return { element, update, tick: () => update(event), busy: () => busy, look, cancelled };

  function look() {
    if (busy) return;
    const open = waiting(id);
    const asks = result.dataset.state === 'unknown';
    if (open && !asks) askAgain(open);
    else if (!open && asks) forget();
  }

  // "Booked" is true no more.
  function cancelled() {
    if (result.dataset.state === 'good') forget();
  }

  function update(newer) {
    event = newer;
    const [start, end] = [Date.parse(event.start_date), Date.parse(event.end_date)];
    setText(when, span(start, end));
    seats.update(event);
    const over = end <= Date.now();
    const soldOut = most(event) < 1;
    badge.hidden = !over && !soldOut;
    setText(badge, over ? t('book.over') : t('book.sold_out'));
    element.classList.toggle('closed', over || soldOut);
    const max = Math.max(1, most(event));
    amount.max = max;
    if (document.activeElement !== amount && Number(amount.value) > max) amount.value = max;
    const closed = over || soldOut || result.dataset.state === 'unknown';
    if (closed && form.contains(document.activeElement)) element.focus();
    form.hidden = closed;
  }

  function step(by) {
    const wish = (Number.parseInt(amount.value, 10) || 0) + by;
    amount.value = Math.min(Math.max(wish, 1), Math.max(1, most(event)));
  }

  // A key held down is no row of clicks.
  function noRepeat(press) {
    if (press.key === 'Enter' && press.repeat) press.preventDefault();
  }

  function submit(wish) {
    wish.preventDefault();
    if (busy) return;
    // What is no whole number goes to the service as it is: its answer says what would be right.
    const wanted = amount.value.trim() === '' ? null : Number(amount.value);
    run(begin(id, name, wanted, user()));
  }

  async function run(action) {
    busy = true;
    button.setAttribute('aria-disabled', 'true');
    setText(button, t('book.sending'));
    const calmed = calm();
    const count = action.body.seats;
    try {
      const { body, replay } = await send(action);
      booked(body);
      tell('good', t(replay ? 'book.was_done' : 'book.done', { count, name }));
    } catch (problem) {
      if (problem.unknown) askAgain(action, problem);
      else tell('bad', words(problem), wordNodes(problem));
    }
    await calmed;
    busy = false;
    for (const waiting of element.querySelectorAll('[aria-disabled]')) waiting.removeAttribute('aria-disabled');
    setText(button, t('book.do'));
  }

  function tell(state, text, nodes = [text]) {
    const focused = result.contains(document.activeElement);
    result.className = `result notice ${state}`;
    result.dataset.state = state;
    result.replaceChildren(...nodes);
    result.hidden = false;
    update(event);
    if (focused) (form.hidden ? element : button).focus();
    say(text);
  }

  // Nobody may book anew here while it is not known whether the seats are taken.
  function askAgain(action, problem) {
    const text = t('book.unknown', { count: action.body.seats, name });
    const again = el('button', { type: 'button', 'aria-label': t('book.ask_again_for', { name }), onclick: repeat }, t('book.ask_again'));
    const leave = el('button', { type: 'button', 'aria-label': t('book.leave_for', { name }), onclick: dismiss }, t('book.leave'));
    if (busy) again.setAttribute('aria-disabled', 'true'); // until `run` has ended
    const cause = problem?.detail ? el('span', { class: 'small', lang: 'en' }, problem.detail) : null;
    const focused = form.contains(document.activeElement) || result.contains(document.activeElement);
    result.className = 'result notice warn';
    result.dataset.state = 'unknown';
    result.replaceChildren(el('p', {}, text), ...(cause ? [cause] : []), el('p', { class: 'line' }, again, leave));
    result.hidden = false;
    if (focused) again.focus();
    update(event);
    if (problem) say(text);

    function repeat() {
      if (busy) return;
      again.setAttribute('aria-disabled', 'true');
      run(action);
    }

    function dismiss() {
      if (busy) return;
      settle(id); // which has `look` forget it
      (form.hidden ? element : button).focus();
    }
  }

  function forget() {
    result.hidden = true;
    delete result.dataset.state;
    update(event);
  }
}
