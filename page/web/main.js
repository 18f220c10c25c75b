// Starts the page: its language and colours, and the views that belong to its URL. Each view is a module with `mount(root)`.
// Read book.js and watch.js next.

import { getSettings } from './api.js';
import { el, setText } from './dom.js';
import { LANGUAGES, choose, language, t, tag } from './i18n.js';
import { kept } from './storage.js';
import * as stream from './stream.js';

translate();
chooseColours();
chooseLanguage();
about();
if (location.pathname.startsWith('/trace/')) {
  document.getElementById('jumps').hidden = true;
  await show('trace');
} else {
  connection();
  await Promise.all([show('book'), show('watch')]);
  stream.start();
}

// Shows one view. A part that cannot be loaded must not take the others with it.
async function show(name) {
  const root = document.getElementById(name);
  root.hidden = false;
  try {
    const view = await import(`./${name}.js`);
    await view.mount(root);
  } catch (cause) {
    console.warn(cause);
    root.append(el('p', { class: 'notice bad' }, t('shell.part_missing')));
  }
}

function translate() {
  const title = location.pathname.startsWith('/trace/') ? 'shell.trace' : 'shell.title';
  document.title = `MyEvents: ${t(title)}`;
  document.documentElement.lang = tag();
  document.querySelectorAll('[data-t]').forEach((element) => setText(element, t(element.dataset.t)));
  document.querySelectorAll('[data-label]').forEach((element) => element.setAttribute('aria-label', t(element.dataset.label)));
}

function chooseColours() {
  const select = document.getElementById('scheme');
  const apply = () => {
    document.documentElement.dataset.scheme = select.value;
    document.dispatchEvent(new Event('schemechange'));
  };
  select.value = kept.read('scheme', '');
  if (select.selectedIndex < 0) select.value = '';
  select.addEventListener('change', () => {
    kept.write('scheme', select.value);
    apply();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  apply();
}

function chooseLanguage() {
  const select = document.getElementById('language');
  const options = Object.entries(LANGUAGES).map(([value, name]) => el('option', { value, lang: value }, name));
  select.append(...options);
  select.value = language();
  select.addEventListener('change', () => choose(select.value));
}

// Whether what is shown is of this moment.
function connection() {
  const line = document.getElementById('connection');
  stream.on('state', (state) => {
    line.classList.toggle('away', state === 'away');
    setText(line, state === 'away' ? t('shell.away') : t('shell.live'));
  });
}

async function about() {
  const line = document.getElementById('about');
  try {
    const { version, grafana_url: grafana, prometheus_url: prometheus } = await getSettings();
    line.append(t('shell.version', { version }));
    if (grafana) line.append(' · ', el('a', { href: grafana, rel: 'noreferrer' }, 'Grafana'));
    if (prometheus) line.append(' · ', el('a', { href: prometheus, rel: 'noreferrer' }, 'Prometheus'));
  } catch {
    // It is not worth a message: the views say what is away.
  }
}
