// The way of a booking as a picture: six stations, what passed each in the last seconds, and what waits where. A screen reader gets the
// same figures as a table. Where this browser has just booked, the steps of that booking stand at the stations, too.

import { el } from './dom.js';
import { count, figure, milliseconds, rate, seconds } from './format.js';
import { t } from './i18n.js';
import { follow } from './own.js';
import { draw } from './picture.js';
import { onResize } from './resize.js';
import { onSamples } from './samples.js';
import { on } from './stream.js';

// `step` is the step of a story that leads to this station.
const STATIONS = [
  { name: 'accepted', by: 'bookings', step: 'received', value: (way) => way.accepted },
  { name: 'stored', by: 'bookings', step: 'stored', value: (way) => way.stored },
  { name: 'outbox', by: 'bookings', waits: true, value: (way) => way.outbox },
  { name: 'published', by: 'bookings', step: 'published', value: (way) => way.published },
  { name: 'queue', by: 'bus', waits: true, value: (way) => way.on_the_way },
  { name: 'applied', by: 'events', step: 'applied', value: (way) => way.applied },
];

// Below this many pixels the stations stand in two rows.
const NARROW = 560;

export function mount(root) {
  const picture = el('div', { class: 'way-picture' });
  const own = el('p', { class: 'way-own', role: 'status' });
  const table = el('table');
  root.append(el('h3', {}, t('watch.way.title')), el('p', { class: 'muted' }, t('watch.way.what')));
  root.append(picture, legend(), own, el('div', { class: 'visually-hidden' }, table));

  let drawn = null;
  let way = null;
  let story = null;
  const update = () => {
    if (!drawn || !way) return;
    const stations = STATIONS.map((station) => told(station, way, story));
    drawn.update(stations, way.dead);
    tabulate(table, stations, way);
  };
  onResize(picture, (width) => {
    const narrow = width < NARROW;
    if (drawn?.narrow === narrow) return;
    const names = STATIONS.map(({ name, by }) => ({ name: t(`watch.way.${name}`), by }));
    drawn = draw(names, t('watch.way.dead'), narrow);
    picture.replaceChildren(drawn.svg);
    update();
  });
  onSamples((samples) => {
    way = samples.at(-1).way;
    update();
  });
  // Then nothing of it is of this moment.
  on('state', (state) => {
    if (state !== 'away' || !way) return;
    way = {};
    update();
  });
  follow(own, (found) => {
    story = found;
    update();
  });
}

// What stands at a station: a figure, a word below it, the time of the own booking, how much flows on from here.
function told({ name, by, waits, step, value }, way, story) {
  const n = value(way);
  const mine = step && story?.steps.find((one) => one.step === step);
  const one = { name, by, waits: false, figure: n == null ? '?' : figure(n), n, mine: mine ? t('watch.way.after', { time: milliseconds(mine.to) }) : '' };
  if (!waits) return { ...one, word: t('watch.way.rate'), flows: n ?? 0 };
  const flows = (name === 'outbox' ? way.published : way.applied) ?? 0;
  return { ...one, figure: n == null ? '?' : count(n), waits: n > 0, word: waiting(name, n, way.oldest), flows };
}

function waiting(name, n, oldest) {
  if (n == null) return t('watch.unknown');
  if (n === 0) return t('watch.way.nothing');
  return name === 'outbox' && oldest > 0 ? t('watch.way.oldest', { time: seconds(oldest) }) : t('watch.way.waiting');
}

function legend() {
  const of = (by) => el('span', {}, el('span', { class: `way-key ${by}`, 'aria-hidden': 'true' }), t(`watch.service.${by}`));
  return el('p', { class: 'muted way-legend' }, of('bookings'), of('bus'), of('events'));
}

function tabulate(table, stations, way) {
  const row = (name, where, text) => el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, where), el('td', {}, text));
  const rows = stations.map(({ name, by, n, waits, word, mine }, i) => {
    const now = !STATIONS[i].waits ? rate(n) : waits ? `${count(n)}: ${word}` : word;
    return row(t(`watch.way.${name}`), t(`watch.service.${by}`), mine ? `${now}; ${t('watch.way.yours')} ${mine}` : now);
  });
  rows.push(row(t('watch.way.dead'), '', count(way.dead)));
  const heads = ['station', 'where', 'now'].map((key) => el('th', { scope: 'col' }, t(`watch.way.head.${key}`)));
  table.replaceChildren(
    el('caption', {}, t('watch.way.title')),
    el('thead', {}, el('tr', {}, ...heads)),
    el('tbody', {}, ...rows),
  );
}
