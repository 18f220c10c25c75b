// The booking that this browser has just made: looks for its story until it is applied, and says it in words.

import { ask } from './api.js';
import { el } from './dom.js';
import { milliseconds } from './format.js';
import { t } from './i18n.js';
import { told } from './story.js';

const FIRST_MS = 300;
const AGAIN_MS = 1000;
const TRIES = 5;

// These are said; the others are at /trace/{id}.
const STEPS = ['stored', 'answered', 'published', 'applied'];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// `found` gets the story each time that more is known. A later booking takes the place of this one.
export function follow(line, found) {
  let current = null;
  document.addEventListener('booked', async ({ detail: { id } }) => {
    current = id;
    for (let tries = 0; tries < TRIES; tries += 1) {
      await pause(tries === 0 ? FIRST_MS : AGAIN_MS);
      if (current !== id) return;
      const story = await made(id);
      if (current !== id) return;
      const applied = story?.steps.some(({ step }) => step === 'applied');
      // It is said once, when all is known or nothing more will be: a screen reader reads each change.
      if (story) found(story);
      if (applied || tries === TRIES - 1) {
        write(line, id, story);
        return;
      }
    }
  });
}

// The story of the request that made it.
async function made(id) {
  try {
    const { items } = await ask(`/traces/${id}`);
    const first = items.find(({ method }) => method === 'POST') ?? items[0];
    return first ? told(first) : null;
  } catch {
    return null;
  }
}

function write(line, id, story) {
  const known = STEPS.map((name) => story?.steps.find(({ step }) => step === name)).filter(Boolean);
  const parts = known.map(({ step, to }) => t('watch.own.step', { step: t(`watch.step.${step}`), time: milliseconds(to) }));
  const words = parts.length > 0 ? t('watch.own.steps', { steps: parts.join(t('watch.comma')) }) : t('watch.own.unknown');
  line.replaceChildren(words, ' ', el('a', { href: `/trace/${encodeURIComponent(id)}` }, t('watch.own.link')));
}
