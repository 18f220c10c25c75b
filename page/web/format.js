// Numbers with their units, by locale. What is not known is said in words.

import { number, t, time } from './i18n.js';

const format = (value, options) => (value == null ? t('watch.unknown') : number(value, options));

const unit = (value, name, digits = 3) =>
  format(value, { style: 'unit', unit: name, unitDisplay: 'short', maximumSignificantDigits: digits });

export const count = (value) => format(value, { maximumFractionDigits: 0 });

// One digit after the point where the number is small.
export const figure = (value) => format(value, { maximumFractionDigits: value < 100 ? 1 : 0 });

export const rate = (value) => (value == null ? format(value) : t('watch.per_second', { n: figure(value) }));

export const perMinute = (value) => (value == null ? format(value) : t('watch.per_minute', { n: figure(value) }));

export const milliseconds = (ms) => unit(ms, 'millisecond');

// From a fraction of a millisecond to hours, in the unit that fits.
export function seconds(value) {
  if (value == null) return format(value);
  if (value < 1) return milliseconds(value * 1000);
  if (value < 120) return unit(value, 'second', value < 10 ? 3 : 2);
  if (value < 7200) return unit(value / 60, 'minute', 2);
  return unit(value / 3600, 'hour', 2);
}

export const megabytes = (bytes) => unit(bytes == null ? bytes : bytes / 1e6, 'megabyte');

export const share = (value) => format(value, { style: 'percent', maximumFractionDigits: 2 });

export const clock = (ms) => time(ms, { timeStyle: 'medium' });

export const clockOfAxis = (ms) => time(ms, { hour: '2-digit', minute: '2-digit' });

export const dateAndTime = (text) => time(Date.parse(text), { dateStyle: 'medium', timeStyle: 'medium' });
