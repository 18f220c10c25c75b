// Requests to the page's server, which forwards them to the services, and what went wrong in words.

import { el } from './dom.js';
import { t } from './i18n.js';

// Longer than the server itself waits for a service. What takes it longer is asked with a `limit` of its own.
const LIMIT_MS = 30_000;

// Refusals that say nothing of the action itself: of the page's server (not this origin, not this host) and of whoever is too busy.
const NOT_OF_THE_ACTION = [403, 408, 421, 425, 429];

// An answer that is no success (RFC 9457), or none at all.
export class Problem extends Error {
  constructor(body, status, unknown) {
    super(body.detail || body.title || '');
    this.body = body;
    this.status = status;
    // `sold-out` of `urn:myevents:problem:sold-out`.
    this.kind = String(body.type ?? '').split(':').pop();
    this.detail = body.detail ?? '';
    this.errors = body.errors ?? [];
    // Whether it may have been done nevertheless.
    this.unknown = unknown;
    // Whether the answer says that asking again in a moment may help.
    this.again = false;
  }
}

// Of an action that was sent before and came to nothing known: whether this problem leaves that open, too. Only an answer of the service
// itself settles it. If it stays open, the problem then says so: "nothing has happened" is true of the last attempt only.
export function unsettled(problem) {
  const definite = problem.status >= 400 && problem.status < 500 && !NOT_OF_THE_ACTION.includes(problem.status);
  if (definite) return false;
  if (!problem.unknown) problem.detail = '';
  problem.unknown = true;
  return true;
}

// Asks `/api` + `path`: the parsed body of a success, or a `Problem` thrown.
export async function ask(path, request) {
  return (await answer(path, request)).body;
}

// The same as `{ body, replay }`: whether it is the answer to an earlier request with this key. The body of a request is an object.
export async function answer(path, { method = 'GET', body, key, limit = LIMIT_MS } = {}) {
  const headers = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (key !== undefined) headers['Idempotency-Key'] = key;
  const changes = method !== 'GET';
  let response, text;
  try {
    const signal = AbortSignal.timeout(limit);
    response = await fetch(`/api${path}`, { method, headers, body: body && JSON.stringify(body), signal, cache: 'no-store' });
    text = await response.text();
  } catch {
    throw new Problem({ type: changes ? 'outcome-unknown' : 'page-away' }, 0, changes);
  }
  const parsed = parse(text);
  if (response.ok && parsed !== undefined) return { body: parsed, replay: response.headers.has('Idempotent-Replay') };
  const problem = new Problem(parsed ?? { title: `HTTP ${response.status}` }, response.status, false);
  problem.unknown = changes && (response.ok || response.status >= 500) && problem.kind !== 'away';
  problem.again = response.headers.has('Retry-After');
  throw problem;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// What kind of problem it is, as a sentence in the language of the page.
function sentence(problem) {
  if (problem.unknown) return t('problem.outcome_unknown');
  switch (problem.kind) {
    case 'away': return t('problem.away');
    case 'page-away': return t('problem.page_away');
    case 'sold-out': return t('problem.sold_out');
    case 'event-over': return t('problem.event_over');
    case 'not-found': return t('problem.not_found');
    case 'invalid-value': return t('problem.invalid_value');
    case 'bad-request': return t('problem.bad_request');
    case 'unavailable': return t('problem.unavailable');
    case 'internal': return t('problem.internal');
    default: return problem.body.title ?? t('problem.other');
  }
}

// A problem in words: our sentence, and the service's own detail, which is English.
export function words(problem) {
  const said = sentence(problem);
  return problem.detail ? t('problem.with_detail', { sentence: said, detail: problem.detail }) : t('problem.sentence', { sentence: said });
}

// The same as nodes, so that a screen reader says the detail in English.
export function wordNodes(problem) {
  if (!problem.detail) return [words(problem)];
  const [before, after] = t('problem.with_detail', { sentence: sentence(problem), detail: '\u0000' }).split('\u0000');
  return [before, el('span', { lang: 'en' }, problem.detail), after];
}

let settings;

// What the page's server says of itself; asked once.
export function getSettings() {
  settings ??= ask('/settings').catch((problem) => {
    settings = undefined;
    throw problem;
  });
  return settings;
}
