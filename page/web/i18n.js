// The language of the page: its words, numbers and times. A word file is one flat object; both have the same keys (a test compares).

import en from './words/en.js';
import enWatch from './words/en-watch.js';
import zh from './words/zh.js';
import zhWatch from './words/zh-watch.js';
import { kept } from './storage.js';

const WORDS = { en: { ...en, ...enWatch }, zh: { ...zh, ...zhWatch } };
const TAGS = { en: 'en', zh: 'zh-CN' };

// The languages there are, each named in itself.
export const LANGUAGES = { en: 'English', zh: '中文' };

// Letters of scripts from right to left, and signs that change the direction.
const TURNS = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/;

const chosen = pick();
const locale = fitting();
const formats = new Map();

function pick() {
  const wish = [kept.read('language', null), ...navigator.languages].filter((tag) => typeof tag === 'string');
  return wish.map((tag) => tag.split('-')[0]).find((short) => short in WORDS) ?? 'en';
}

// Someone who reads English in Vienna writes dates as the browser says: its own variant of the language, where it has one.
function fitting() {
  return navigator.languages.find((tag) => tag.split('-')[0] === chosen) ?? TAGS[chosen];
}

// `en` or `zh`.
export function language() {
  return chosen;
}

// The value of `lang`.
export function tag() {
  return TAGS[chosen];
}

// Keeps the choice. The page is loaded again, so that nothing stays in the other language.
export function choose(other) {
  kept.write('language', other);
  location.reload();
}

// The words under `key`. `{name}` in them is replaced by `params.name`. Where they differ by a number they are an object by the plural
// form of `params.count`.
export function t(key, params = {}) {
  let words = WORDS[chosen][key] ?? WORDS.en[key] ?? key;
  if (typeof words === 'object') words = words[new Intl.PluralRules(locale).select(params.count)] ?? words.other;
  return words.replace(/\{(\w+)\}/g, (_, name) => {
    const value = params[name];
    return typeof value === 'number' ? number(value) : isolated(String(value));
  });
}

// A text of others that is written from right to left, or that turns what follows, closed off from the words around it.
export function isolated(text) {
  return TURNS.test(text) ? `\u2068${text.replace(/[\u2066-\u2069]/g, '')}\u2069` : text;
}

function format(Kind, options) {
  const name = Kind.name + JSON.stringify(options);
  if (!formats.has(name)) formats.set(name, new Kind(locale, options));
  return formats.get(name);
}

// A number as people write it here. `options` are those of `Intl.NumberFormat`.
export function number(value, options = { maximumFractionDigits: 2 }) {
  return format(Intl.NumberFormat, options).format(value);
}

// A time (milliseconds since 1970) as people write it here. `options` are those of `Intl.DateTimeFormat`.
export function time(ms, options = { dateStyle: 'medium', timeStyle: 'short' }) {
  return format(Intl.DateTimeFormat, options).format(ms);
}

// From when to when; a day that is the same stands once.
export function span(from, to, options = { dateStyle: 'medium', timeStyle: 'short' }) {
  return from <= to ? format(Intl.DateTimeFormat, options).formatRange(from, to) : time(from, options);
}
