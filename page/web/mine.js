// The bookings made in this browser. It keeps their ids only; what they are, the booking service says.

import { ask, unsettled, words, wordNodes } from './api.js';
import { el, say, setText } from './dom.js';
import { isolated, t, time } from './i18n.js';
import { mountOpen } from './open.js';
import { kept } from './storage.js';

const KEPT = 100;
const SHOWN = 5;

// `{ element, add(booking), refresh() }`; `booked(booking)` hears of an open one that turned out to be made.
export function mountMine({ booked }) {
  const rows = new Map();
  let shown = SHOWN;
  const none = el('p', { class: 'muted small' }, t('mine.none'));
  const list = el('ul', { class: 'mine', 'aria-labelledby': 'mine-title' });
  const older = el('button', { type: 'button', hidden: true, onclick: showOlder }, t('mine.older'));
  const element = el('section', { class: 'card booking', 'aria-labelledby': 'mine-title', tabindex: -1 },
    el('div', { class: 'line apart' }, el('h3', { id: 'mine-title' }, t('mine.title')),
      el('span', { class: 'muted small' }, t('mine.hint'))),
    mountOpen({ booked }), none, list, older);
  // Another tab has booked, or removed one.
  window.addEventListener('storage', draw);
  draw();
  return { element, add, refresh };

  function ids() {
    const ids = kept.read('bookings', []);
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  }

  function add(booking) {
    kept.write('bookings', [booking.id, ...ids().filter((id) => id !== booking.id)].slice(0, KEPT));
    if (!rows.has(booking.id)) rows.set(booking.id, createRow(booking.id, { remove }));
    rows.get(booking.id).show(booking);
    draw();
  }

  function remove(id) {
    kept.write('bookings', ids().filter((other) => other !== id));
    draw();
    element.focus();
  }

  function draw() {
    const all = ids();
    const wanted = all.slice(0, shown);
    for (const [id, row] of rows) {
      if (wanted.includes(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    wanted.forEach((id, place) => {
      if (!rows.has(id)) rows.set(id, createRow(id, { remove }));
      const { element: item } = rows.get(id);
      if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
    });
    none.hidden = all.length > 0;
    older.hidden = all.length <= shown;
    refresh();
  }

  // Reads those that are not known yet, one after the other, until the service does not answer.
  async function refresh() {
    for (const row of [...rows.values()]) if (!(await row.read())) return;
  }

  function showOlder() {
    shown += SHOWN;
    draw();
    if (older.hidden) element.focus();
  }
}

function createRow(id, { remove }) {
  let known = false;
  let reading = false;
  let unsure = false; // whether it may be cancelled already
  const title = el('strong');
  const badge = el('span', { class: 'badge', hidden: true });
  const about = el('p', { class: 'small muted' }, '…');
  const actions = el('p', { class: 'line' });
  const result = el('p', { class: 'notice', hidden: true });
  const element = el('li', { class: 'booking', tabindex: -1, 'data-booking': id },
    el('div', { class: 'line apart' }, el('div', { class: 'line' }, title, badge), actions), about, result);
  return { element, read, show };

  // False where there was no answer.
  async function read() {
    if (known || reading) return true;
    reading = true;
    try {
      show(await ask(`/bookings/${id}`));
      return true;
    } catch (problem) {
      if (problem.status !== 404) {
        setText(about, t('mine.unread'));
        return false;
      }
      known = true;
      setText(about, t('mine.unknown', { id }));
      const label = t('mine.remove_of', { id });
      actions.replaceChildren(el('button', { type: 'button', 'aria-label': label, onclick: () => remove(id) }, t('mine.remove')));
      return true;
    } finally {
      reading = false;
    }
  }

  function show(booking) {
    known = true;
    const { event_name: name, seats: count, user_id: user, status } = booking;
    setText(title, `${isolated(name)}: ${t('mine.seats', { count })}`);
    setText(about, t('mine.by', { user, time: time(Date.parse(booking.booked_at)) }));
    const holds = status === 'confirmed';
    badge.hidden = false;
    badge.className = holds ? 'badge good' : 'badge';
    setText(badge, holds ? t('mine.confirmed') : t('mine.cancelled'));
    const trace = el('a', { href: `/trace/${id}`, 'aria-label': t('mine.trace_of', { name }) }, t('mine.trace'));
    const cancel = el('button', { type: 'button', class: 'danger', 'aria-label': t('mine.cancel_of', { count, name }), onclick: sure }, t('mine.cancel'));
    actions.replaceChildren(trace, ...(holds ? [cancel] : []));

    function sure() {
      const yes = el('button', { type: 'button', class: 'danger', onclick: giveBack }, t('mine.yes'));
      const keep = el('button', { type: 'button', onclick: back }, t('mine.keep'));
      const question = t('mine.sure', { count, name });
      actions.replaceChildren(el('span', { id: `sure-${id}` }, question), yes, keep);
      yes.setAttribute('aria-describedby', `sure-${id}`);
      keep.setAttribute('aria-describedby', `sure-${id}`);
      yes.focus();
    }

    function back() {
      show(booking);
      (actions.querySelector('button') ?? element).focus();
    }

    async function giveBack({ target: yes }) {
      if (yes.getAttribute('aria-disabled')) return;
      yes.setAttribute('aria-disabled', 'true');
      try {
        show(await ask(`/bookings/${id}`, { method: 'DELETE' }));
        result.hidden = true;
        document.dispatchEvent(new CustomEvent('cancelled', { detail: { event: booking.event_id } }));
        say(t('mine.given_back', { count, name }));
        element.focus();
      } catch (problem) {
        // Cancelling twice is the same as once, so there is no key to keep.
        unsure ||= problem.unknown;
        if (unsure) unsettled(problem);
        yes.removeAttribute('aria-disabled');
        result.className = problem.unknown ? 'notice warn' : 'notice bad';
        const more = problem.unknown ? [' ', t('mine.cancel_again')] : [];
        result.replaceChildren(...wordNodes(problem), ...more);
        result.hidden = false;
        say(words(problem) + more.join(''));
      }
    }
  }
}
