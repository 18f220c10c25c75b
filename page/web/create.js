// The form for a new event. What is wrong with a field is said at the field: by the service, which knows the rules.

import { ask, unsettled, words, wordNodes } from './api.js';
import { el, say } from './dom.js';
import { t } from './i18n.js';
import { once } from './once.js';

const DAY_MS = 24 * 60 * 60 * 1000;

// The element; `created(event)` hears of a new event.
export function mountCreate({ created }) {
  const fields = {
    name: field('name', t('create.name'), { maxlength: 200, required: true }, 'wide'),
    start_date: field('start_date', t('create.start'), { type: 'datetime-local', required: true }),
    end_date: field('end_date', t('create.end'), { type: 'datetime-local', required: true }),
    capacity: field('capacity', t('create.seats'), { type: 'number', min: 1, step: 1, inputmode: 'numeric' }),
  };
  const evening = new Date(Date.now() + 7 * DAY_MS);
  evening.setHours(19, 0, 0, 0);
  fields.start_date.input.value = local(evening);
  evening.setHours(22);
  fields.end_date.input.value = local(evening);
  fields.capacity.input.value = 20;
  const button = el('button', { class: 'primary' }, t('create.do'));
  const result = el('p', { class: 'notice wide', hidden: true });
  let unsure = false; // whether the last one may have been created nevertheless
  const submit = once(send, () => [button]);
  const form = el('form', { novalidate: true, onsubmit: wished },
    ...Object.values(fields).map((one) => one.element),
    el('div', { class: 'wide line' }, button), result);
  return el('details', { class: 'card create' }, el('summary', {}, t('create.title')), form);

  function wished(wish) {
    wish.preventDefault();
    submit();
  }

  async function send() {
    Object.values(fields).forEach((one) => one.wrong(null));
    result.hidden = true;
    const body = read();
    if (!body) return;
    try {
      const event = await ask('/events', { method: 'POST', body });
      unsure = false;
      tell('good', t('create.done', { name: event.name }));
      fields.name.input.value = '';
      await created(event);
    } catch (problem) {
      refused(problem);
    }
  }

  // The body, or undefined where a field cannot be read; that is then said.
  function read() {
    const [start, end] = [fields.start_date, fields.end_date].map((one) => Date.parse(one.input.value));
    if (Number.isNaN(start)) return complain(fields.start_date, t('create.no_date'));
    if (Number.isNaN(end)) return complain(fields.end_date, t('create.no_date'));
    const seats = fields.capacity.input;
    if (seats.validity.badInput) return complain(fields.capacity, t('create.no_number'));
    const body = {
      name: fields.name.input.value.trim(),
      start_date: new Date(start).toISOString(),
      end_date: new Date(end).toISOString(),
    };
    return seats.value === '' ? body : { ...body, capacity: Number(seats.value) };
  }

  function complain(one, text) {
    one.wrong(text);
    one.input.focus();
    say(text);
  }

  function refused(problem) {
    unsure ||= problem.unknown;
    unsure &&= unsettled(problem);
    const known = problem.errors.filter((error) => error.field in fields);
    known.forEach((error) => fields[error.field].wrong(error.detail, 'en'));
    if (known.length > 0) fields[known[0].field].input.focus();
    const more = problem.unknown ? [' ', t('create.unknown')] : [];
    tell(problem.unknown ? 'warn' : 'bad', words(problem) + more.join(''), [...wordNodes(problem), ...more]);
  }

  function tell(state, text, nodes = [text]) {
    result.className = `notice wide ${state}`;
    result.replaceChildren(...nodes);
    result.hidden = false;
    say(text);
  }
}

function field(id, label, attributes, place) {
  const input = el('input', { id: `create-${id}`, autocomplete: 'off', 'aria-describedby': `create-${id}-error`, ...attributes });
  const error = el('p', { id: `create-${id}-error`, class: 'error', hidden: true });
  const element = el('div', { class: `field ${place ?? ''}` }, el('label', { for: input.id }, label), input, error);
  return {
    input,
    element,
    wrong(text, lang) {
      error.hidden = text === null;
      error.replaceChildren(el('span', { lang }, text ?? ''));
      if (text === null) input.removeAttribute('aria-invalid');
      else input.setAttribute('aria-invalid', 'true');
    },
  };
}

// A time as `datetime-local` wants it: in the time zone of the browser.
function local(date) {
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
