// What the parts say of themselves by /readyz, in words, and which of them is away: that stands at the top of the view, too.

import { ask, words } from './api.js';
import { el, setText } from './dom.js';
import { t } from './i18n.js';

const EVERY_MS = 5000;
const SERVICES = ['eventservice', 'bookingservice'];

export function mount(root, alarm) {
  const list = el('ul', { class: 'parts' });
  root.append(el('h3', {}, t('watch.ready.title')), el('p', { class: 'muted' }, t('watch.ready.what')), list);
  let shown = '';
  let asking = false;
  const show = (items, alarms) => {
    setText(alarm, alarms.join(' '));
    // What was there stays as it is, so that a reader does not lose the place.
    if (JSON.stringify(items) === shown) return;
    shown = JSON.stringify(items);
    list.replaceChildren(...(items.length > 0 ? items.map(part) : [el('li', { class: 'bad' }, mark(false), ...alarms)]));
  };
  const look = async () => {
    if (document.hidden || asking) return;
    asking = true;
    try {
      const { items } = await ask('/ready');
      show(items, SERVICES.map((service) => missing(service, items)).filter(Boolean));
    } catch (problem) {
      show([], [words(problem)]);
    }
    asking = false;
  };
  const again = async () => {
    await look();
    setTimeout(again, EVERY_MS);
  };
  document.addEventListener('visibilitychange', look);
  again();
}

const name = (service) => t(`watch.ready.${service}`);

const isReady = ({ answers, report }) => answers && report?.ready === true;

// A sentence for the top of the view, where something is wrong with a service.
function missing(service, items) {
  const own = items.filter((item) => item.service === service);
  const answering = own.filter(({ answers }) => answers).length;
  const ready = own.filter(isReady).length;
  if (own.length > 0 && ready === own.length) return null;
  if (answering === 0) return t('watch.alarm.away', { service: name(service) });
  if (ready === 0) return t('watch.alarm.not_ready', { service: name(service) });
  return t('watch.alarm.some', { service: name(service), ready, all: own.length });
}

function part({ service, address, answers, error, report }) {
  const at = { service: name(service), address };
  if (!answers) {
    return el('li', { class: 'bad' }, mark(false), t('watch.ready.silent', at), english(error));
  }
  const state = report.stopping ? 'stopping' : report.ready ? 'ready' : 'not_ready';
  const checks = Object.entries(report.checks ?? {}).map(check);
  return el('li', { class: report.ready ? 'good' : 'bad' }, mark(report.ready), t(`watch.ready.${state}`, at), el('ul', {}, ...checks));
}

function check([what, { ok, required, detail }]) {
  const word = ok ? 'fine' : required ? 'fails' : 'fails_not_required';
  return el('li', { class: ok ? 'good' : 'bad' }, mark(ok), t(`watch.check.${word}`, { name: checked(what) }), english(detail));
}

// What is checked; a name that this page has no word for is told as it is.
function checked(what) {
  const key = `watch.check.name.${what}`;
  const words = t(key);
  return words === key ? what : words;
}

// Not by colour alone.
const mark = (good) => el('span', { class: 'mark', 'aria-hidden': 'true' }, good ? '✓ ' : '✗ ');

// A service says why in English, in whatever language the page is.
const english = (text) => (text ? el('span', { lang: 'en', class: 'muted' }, ` ${text}`) : null);
