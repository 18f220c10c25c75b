// The charts of the last 15 minutes: which there are, and what each shows of a sample. plot.js draws one.

import { el, setText } from './dom.js';
import { clock, count, figure, megabytes, perMinute, rate, seconds, share } from './format.js';
import { t } from './i18n.js';
import { plot } from './plot.js';
import { onSamples } from './samples.js';

// The axis grows with what is known, up to 15 minutes.
const SHORTEST_S = 2 * 60;
const LONGEST_S = 15 * 60;

// One line for each service. `both` is the line where the two are one process.
const SERVICES = ['bookings', 'events'];
const lines = (value) => SERVICES.map((by) => ({ by, name: t(`watch.service.${by}`), value: ({ services }) => value(services[by]) }));
const apart = (value) => [
  ...lines((service) => (service.shared ? null : value(service))),
  { by: 'both', name: t('watch.service.both'), value: ({ services }) => shared(services, value) },
];
// Either service may be the one that answers.
function shared({ bookings, events }, value) {
  const one = [bookings, events].find((service) => service.shared);
  return one ? value(one) : null;
}
const percentiles = (by) =>
  ['p50', 'p95', 'p99'].map((name) => ({ by, name, dash: name, value: ({ services }) => services[by][name] }));
const bookings = { by: 'bookings', name: t('watch.service.bookings'), value: (sample) => sample.bookings_per_minute };
const waiting = [
  { by: 'bookings', name: t('watch.way.outbox'), value: ({ way }) => way.outbox },
  { by: 'bus', name: t('watch.way.queue'), value: ({ way }) => way.on_the_way },
];

// `most`: the axis reaches at least here, so that a little noise near 0 looks small.
const CHARTS = [
  { key: 'requests', lines: lines((service) => service.per_second), most: 5, say: rate, axis: figure },
  { key: 'minute', lines: [bookings], most: 10, say: perMinute, axis: figure },
  { key: 'latency_bookings', lines: percentiles('bookings'), most: 0.01, say: seconds, axis: seconds },
  { key: 'latency_events', lines: percentiles('events'), most: 0.01, say: seconds, axis: seconds },
  { key: 'errors', lines: lines((service) => service.error_share), most: 0.05, say: share, axis: share },
  { key: 'waiting', lines: waiting, most: 10, say: count, axis: figure },
  { key: 'memory', lines: apart((service) => service.memory), most: 20e6, say: megabytes, axis: megabytes },
  { key: 'threads', lines: apart((service) => service.threads), most: 10, say: count, axis: count },
];

export async function mount(root) {
  const grid = el('div', { class: 'charts' });
  const restarts = el('p', { class: 'muted' });
  root.append(el('h3', {}, t('watch.charts.title')), el('p', { class: 'muted' }, t('watch.charts.what')), grid, restarts);
  if (!(await library())) {
    root.append(el('p', { class: 'bad' }, t('watch.charts.missing')));
    return;
  }
  const plots = CHARTS.map((chart) => plot(grid, { ...chart, title: t(`watch.charts.${chart.key}`) }));
  onSamples((samples) => {
    const marks = restarted(samples);
    setText(restarts, marks.map(({ at, who }) => t('watch.charts.restarted', { time: clock(at), who })).join(' '));
    const rows = withGaps(samples);
    const times = rows.map(({ at }) => at / 1000);
    const to = times.at(-1);
    const from = Math.max(to - LONGEST_S, Math.min(times[0], to - SHORTEST_S));
    CHARTS.forEach((chart, i) => {
      const values = chart.lines.map(({ value }) => rows.map(({ sample }) => (sample ? value(sample) : null)));
      plots[i].show([times, ...values], [from, to], marks);
    });
  });
}

// uPlot is a classic script that sets a global. It is loaded here, so that a page without charts does not wait for it.
function library() {
  return new Promise((resolve) => {
    const script = el('script', { src: '/assets/uplot/uPlot.iife.min.js', load: () => resolve(true), error: () => resolve(false) });
    document.head.append(script);
  });
}

// A row without a sample between two that are no neighbours: no line is drawn over it.
function withGaps(samples) {
  return samples.flatMap((sample, i) => {
    const row = { at: sample.at, sample };
    return sample.gap && i > 0 ? [{ at: (samples[i - 1].at + sample.at) / 2, sample: null }, row] : [row];
  });
}

// Processes that were seen to have started anew.
function restarted(samples) {
  return samples.flatMap(({ at, services }) =>
    SERVICES.flatMap((by) => services[by].restarts.map((address) => ({ at, who: `${t(`watch.service.${by}`)} (${address})` }))),
  );
}
