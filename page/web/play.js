// A gentle load, made by the page's server: one for all tabs. A button starts and stops it, and beside it stands what it does.

import { ask, words } from './api.js';
import { el, setText } from './dom.js';
import { clock, count, rate, seconds } from './format.js';
import { t } from './i18n.js';
import { on } from './stream.js';

export function mount(root) {
  const button = el('button', { type: 'button', hidden: true, onclick: press });
  const cost = el('p', { class: 'muted' });
  const facts = el('p');
  const error = el('p', { class: 'bad' });
  const result = el('p', { role: 'status', class: 'visually-hidden' });
  root.append(el('h3', {}, t('watch.play.title')), cost, button, facts, error, result);

  let state = null;
  on('play', show);
  // What it does now, nobody knows then.
  on('state', (stream) => {
    button.disabled = stream === 'away';
    if (stream === 'away') setText(facts, '');
    else if (state) show(state);
  });

  function show(now) {
    // The first state is not news.
    if (state && state.on !== now.on) setText(result, t(now.on ? 'watch.play.started' : 'watch.play.stopped'));
    state = now;
    button.hidden = !now.allowed;
    setText(cost, now.allowed ? t('watch.play.cost', { rate: now.rate }) : t('watch.play.forbidden'));
    setText(button, t(now.on ? 'watch.play.stop' : 'watch.play.start'));
    const told = now.on || now.requests > 0;
    setText(facts, told ? describe(now) : '');
    setText(error, now.error ? t('watch.play.error', { cause: now.error }) : '');
  }

  async function press() {
    button.disabled = true;
    try {
      // What comes of it is pushed. The answer may be older than that: a load takes a moment to end.
      await ask('/play', { method: 'POST', body: { on: !state.on } });
    } catch (problem) {
      setText(error, words(problem));
    } finally {
      button.disabled = false;
      button.focus();
    }
  }
}

function describe(now) {
  const when = now.on
    ? t('watch.play.running', { since: clock(now.since), ends: clock(now.ends) })
    : t('watch.play.was');
  const what = {
    requests: count(now.requests),
    rate: rate(now.answered_per_second),
    p50: seconds(now.p50),
    p99: seconds(now.p99),
    unexpected: count(now.unexpected),
  };
  return `${when} ${t(now.on ? 'watch.play.facts' : 'watch.play.total', what)}`;
}
