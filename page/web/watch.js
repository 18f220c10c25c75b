// The view Watch: the system at work. Each part is a module of its own with a `mount(root)`; here is their order on the page.

import { getSettings } from './api.js';
import * as charts from './charts.js';
import * as dead from './dead.js';
import { el } from './dom.js';
import { t } from './i18n.js';
import { lookUp } from './look-up.js';
import * as play from './play.js';
import * as ready from './ready.js';
import * as way from './way.js';

export function mount(root) {
  root.classList.add('watch');
  const alarm = el('div', { class: 'watch-alarm', role: 'status' });
  root.append(alarm);
  for (const part of [way, play, charts, dead, ready]) {
    const section = el('section', { class: 'card' });
    root.append(section);
    part.mount(section, alarm);
  }
  root.append(elsewhere());
}

// Where there is more to see.
function elsewhere() {
  const links = el('p', { hidden: true }, t('watch.links'), ' ');
  const add = (url, name) => {
    if (!url) return;
    links.append(el('a', { href: url, rel: 'noreferrer' }, name), ' ');
    links.hidden = false;
  };
  getSettings().then(
    (settings) => {
      add(settings.grafana_url, 'Grafana');
      add(settings.prometheus_url, 'Prometheus');
    },
    () => {}, // ready.js says what does not answer.
  );
  return el('section', { class: 'card' }, el('h3', {}, t('watch.more')), lookUp(), links);
}
