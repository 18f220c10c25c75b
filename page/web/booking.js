// One booking as an action. Its key and its body are fixed when it begins, so it can be sent again and never books twice. It is kept for
// the tab until its outcome is known, so that it can be asked for after a reload, too.

import { ask } from './api.js';
import { tab } from './storage.js';

// A new event takes a moment to reach the booking service; that often it is asked again.
const TRIES = 4;
const PAUSE_MS = 1_000;

// Random enough, and also there where the page is not served from this machine: `crypto.randomUUID` wants a secure context.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// The action of this event whose outcome is not known, or undefined.
export function waiting(event) {
  return tab.read('waiting', {})[event];
}

// Forgets it.
export function settle(event) {
  const { [event]: _, ...others } = tab.read('waiting', {});
  tab.write('waiting', others);
}

// Begins: seats are booked by `send`.
export function begin(event, seats, user) {
  const action = { event, key: newKey(), body: { seats, user_id: user } };
  tab.write('waiting', { ...tab.read('waiting', {}), [event]: action });
  return action;
}

// Sends it, for the first time or again: the booking, or a `Problem` thrown. Where that says `unknown`, send it again.
export async function send({ event, key, body }) {
  for (let tries = 1; ; tries += 1) {
    try {
      const booking = await ask(`/events/${event}/bookings`, { method: 'POST', key, body });
      settle(event);
      return booking;
    } catch (problem) {
      if (problem.status === 404 && problem.again && tries < TRIES) {
        await new Promise((done) => setTimeout(done, PAUSE_MS));
        continue;
      }
      if (!problem.unknown) settle(event);
      throw problem;
    }
  }
}
