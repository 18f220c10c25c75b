// The page /trace/{id}: the story of one request or booking, as all processes together tell it. Grafana's exemplars lead here.

import { ask, words } from './api.js';
import { el, say } from './dom.js';
import { dateAndTime, milliseconds } from './format.js';
import { t } from './i18n.js';
import { lookUp } from './look-up.js';
import { told } from './story.js';

export async function mount(root) {
  const id = decodeURIComponent(location.pathname.replace(/^\/trace\//, ''));
  const stories = el('div', { class: 'stories' }, el('p', {}, t('watch.trace.looking')));
  root.classList.add('watch');
  root.append(el('section', { class: 'card' }, lookUp(id)), stories);
  root.append(el('p', {}, el('a', { href: '/' }, t('watch.trace.back'))));
  try {
    const { items, asked, silent } = await ask(`/traces/${encodeURIComponent(id)}`);
    stories.replaceChildren(...items.map(show), who(asked, silent));
    say(items.map(request).join('. '));
  } catch (problem) {
    const nobody = problem.status === 404;
    const text = nobody ? t('watch.trace.nobody', { id }) : words(problem);
    stories.replaceChildren(el('p', { class: 'card' }, text));
    if (nobody) stories.append(who(problem.body.asked ?? [], problem.body.silent ?? []));
    say(text);
  }
}

function show(story) {
  const { began, steps, unknown, processes } = told(story);
  const whole = Math.max(steps.at(-1)?.to ?? 0, 0.001);
  const rows = steps.map((step) => row(step.step, milliseconds(step.to), took(step, whole), step.by));
  rows.push(...unknown.map((step) => row(step, t('watch.unknown'), '', '')));
  const heads = ['step', 'after', 'picture', 'by'].map((key) => el('th', { scope: 'col' }, t(`watch.trace.head.${key}`)));
  const table = el('table', { class: 'story' }, el('thead', {}, el('tr', {}, ...heads)), el('tbody', {}, ...rows));
  const clocks = processes > 1 ? t('watch.trace.clocks') : '';
  return el(
    'section',
    { class: 'card' },
    el('h3', {}, request(story)),
    facts(story),
    el('div', { class: 'scrolls', tabindex: '0', role: 'region', 'aria-label': t('watch.trace.table') }, table),
    began ? el('p', { class: 'muted' }, t('watch.trace.began', { time: dateAndTime(began) }), clocks) : null,
  );
}

function request({ method, route, status }) {
  if (!method) return t('watch.trace.request_unknown');
  if (status === null) return t('watch.trace.not_answered', { method });
  return t('watch.trace.answered', { request: `${method} ${route ?? t('watch.trace.no_route')}`, status: String(status) });
}

function facts({ trace_id: trace, resource_id: resource, message_ids: messages }) {
  const fact = (name, values) => [el('dt', {}, t(name)), ...values.map((value) => el('dd', {}, el('code', {}, value)))];
  return el(
    'dl',
    { class: 'facts' },
    ...fact('watch.trace.id', [trace]),
    ...(resource ? fact('watch.trace.about', [resource]) : []),
    ...(messages.length > 0 ? fact('watch.trace.messages', messages) : []),
  );
}

function row(step, after, picture, by) {
  const name = t(`watch.step.${step}`);
  return el('tr', {}, el('th', { scope: 'row' }, name), el('td', { class: 'after' }, after), el('td', { class: 'bars' }, picture), el('td', {}, by));
}

// How long it took since the step before, in its place in the whole time.
function took({ from, to }, whole) {
  const node = el('div', { class: 'took', 'aria-hidden': 'true' });
  node.style.marginLeft = `${Math.min((from / whole) * 100, 99)}%`;
  node.style.width = `${Math.max(((to - from) / whole) * 100, 1)}%`;
  return node;
}

function who(asked, silent) {
  const all = (names) => el('ul', {}, ...names.map((name) => el('li', {}, name)));
  const missing = silent.length > 0 ? [el('h4', {}, t('watch.trace.silent')), all(silent)] : [];
  const keeps = el('p', { class: 'muted' }, t('watch.trace.keeps'));
  return el('section', { class: 'card' }, el('h3', {}, t('watch.trace.asked')), all(asked), ...missing, keeps);
}
