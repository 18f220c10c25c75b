// The seats of an event: a bar that fills, and the same in words.

import { el, setText } from './dom.js';
import { t } from './i18n.js';

// From this share of seats left on the bar has the colour of a warning.
const FEW = 0.1;

// `{ bar, words, update(event) }`.
export function createSeats() {
  const fill = el('div');
  const bar = el('div', { class: 'bar', 'aria-hidden': 'true' }, fill);
  const words = el('p', { class: 'small muted number' });
  return {
    bar,
    words,
    update({ capacity, seats_left: left, booked_seats: booked }) {
      const limited = capacity !== undefined && capacity !== null;
      bar.hidden = !limited;
      if (limited) {
        const share = capacity > 0 ? left / capacity : 0;
        fill.style.width = `${(1 - share) * 100}%`;
        bar.classList.toggle('full', left <= 0);
        bar.classList.toggle('few', left > 0 && share <= FEW);
      }
      setText(words, limited ? t('book.left', { count: left, capacity }) : t('book.unlimited', { count: booked }));
    },
  };
}

// What can be booked at once.
export function most({ capacity, seats_left: left }) {
  return capacity === undefined || capacity === null ? 100 : Math.min(100, left);
}
