// A field for the id of a request or booking, which leads to /trace/{id}.

import { el } from './dom.js';
import { t } from './i18n.js';

export function lookUp(value = '') {
  const field = el('input', { id: 'look-up', name: 'id', required: true, autocomplete: 'off', spellcheck: 'false', value });
  const go = (event) => {
    event.preventDefault();
    const id = field.value.trim();
    if (id) location.assign(`/trace/${encodeURIComponent(id)}`);
  };
  return el(
    'form',
    { class: 'look-up', onsubmit: go },
    el('label', { for: 'look-up' }, t('watch.look_up.label')),
    field,
    el('button', { type: 'submit' }, t('watch.look_up.go')),
  );
}
