// The samples of the last 15 minutes, as the stream brings them: oldest first.

import { on } from './stream.js';

const WINDOW_MS = 15 * 60 * 1000;

const samples = [];
const handlers = [];

// `handler` gets all samples whenever one came.
export function onSamples(handler) {
  handlers.push(handler);
  if (samples.length > 0) handler(samples);
}

function add(sample) {
  const newest = samples.at(-1);
  // After a break the stream may tell again what is already here.
  if (samples.some(({ id, at }) => id === sample.id && at === sample.at)) return;
  // The clock of the server was set back: what was before cannot stand in one line with what comes now.
  if (newest && sample.at <= newest.at) samples.length = 0;
  // Where the page's server started anew, its ids begin again.
  const gap = sample.gap || (newest !== undefined && sample.id !== newest.id + 1);
  samples.push({ ...sample, gap });
  while (samples[0].at < sample.at - WINDOW_MS) samples.shift();
}

function tell() {
  if (samples.length > 0) handlers.forEach((handler) => handler(samples));
}

on('history', ({ items }) => {
  items.forEach(add);
  tell();
});
on('sample', (sample) => {
  add(sample);
  tell();
});
