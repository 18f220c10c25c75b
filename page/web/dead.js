// Messages that a service gave up on: how many, why, and the buttons that send them to their queue again.

import { ask, words } from './api.js';
import { el, setText } from './dom.js';
import { count, dateAndTime } from './format.js';
import { t } from './i18n.js';
import { once } from './once.js';
import { onSamples } from './samples.js';

// A service lists no more; then the count is another one.
const LIST_MAX = 1000;

// Both services may take long: a thousand messages, or a broker that does not answer.
const REDRIVE_LIMIT_MS = 130_000;

export function mount(root) {
  const summary = el('summary', {}, t('watch.dead.show'));
  const list = el('ul', { class: 'letters' });
  const silent = el('p', { class: 'bad' });
  const details = el('details', {}, summary, silent, list);
  const result = el('p', { role: 'status' });
  const all = el('button', { type: 'button', onclick: () => redrive({}) }, t('watch.dead.redrive_all'));
  const number = el('span', { class: 'dead-count' });
  root.append(el('h3', {}, t('watch.dead.title'), ': ', number), el('p', { class: 'muted' }, t('watch.dead.what')), details, all, result);
  setText(number, t('watch.unknown'));
  all.hidden = true;

  const redrive = once(send, () => root.querySelectorAll('button'));
  let listed = [];
  let asking = false;
  onSamples((samples) => {
    const { dead } = samples.at(-1).way;
    setText(number, count(dead));
    const focused = document.activeElement === all;
    all.hidden = !(dead > 0);
    if (focused && all.hidden) summary.focus();
    // A message that is sent again may be back before the next sample, so it is the list that is compared.
    if (details.open && dead !== null && dead !== listed.length && listed.length < LIST_MAX) load();
  });
  details.addEventListener('toggle', () => details.open && load());

  async function load() {
    if (asking) return;
    asking = true;
    try {
      const answer = await ask('/dead');
      setText(silent, answer.silent.map((who) => t('watch.silent', { who })).join(' '));
      if (list.hasChildNodes() && JSON.stringify(answer.items) === JSON.stringify(listed)) return;
      listed = answer.items;
      const nothing = answer.silent.length === 0 ? [el('li', {}, t('watch.dead.none'))] : [];
      const focused = list.contains(document.activeElement);
      list.replaceChildren(...(listed.length > 0 ? listed.map(letter) : nothing));
      if (focused) summary.focus();
    } catch (problem) {
      setText(silent, words(problem));
    } finally {
      asking = false;
    }
  }

  function letter(one) {
    const title = el('strong', {}, one.message);
    const id = `dead-${one.id}`;
    const again = el('button', { type: 'button', 'aria-describedby': id, onclick: () => redrive({ id: one.id }) }, t('watch.dead.redrive'));
    const facts = { queue: one.queue, count: one.attempts, written: dateAndTime(one.occurred_at), by: one.kept_by };
    return el(
      'li',
      {},
      el('p', { id }, title, ' ', t('watch.dead.facts', facts), ' ', el('code', {}, one.id)),
      el('p', { class: 'cause' }, t('watch.dead.cause'), ' ', el('span', { lang: 'en' }, one.cause)),
      again,
    );
  }

  async function send(which) {
    setText(result, t('watch.dead.sending'));
    try {
      const { redriven, silent: missing } = await ask('/dead/redrive', { method: 'POST', body: which, limit: REDRIVE_LIMIT_MS });
      const others = (missing ?? []).map((who) => t('watch.silent', { who }));
      setText(result, [t('watch.dead.redriven', { count: redriven }), ...others].join(' '));
    } catch (problem) {
      setText(result, words(problem) + (problem.unknown ? ` ${t('watch.dead.unknown')}` : ''));
    }
    if (details.open) await load();
  }
}
