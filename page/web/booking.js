// One booking as an action. Its key and its body are fixed when it begins, so it can be sent again and never books twice. It is kept for
// the tab until a definite answer settles it, so that it can be asked for after a reload, too.

import { answer, unsettled } from './api.js';
import { tab } from './storage.js';

// A new event takes a moment to reach the booking service; that often it is asked again.
const TRIES = 4;
const PAUSE_MS = 1_000;

// The events whose action is on its way.
const sending = new Set();

// Random enough, and also there where the page is not served from this machine: `crypto.randomUUID` wants a secure context.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// The action of this event whose outcome is not known, or undefined.
export function waiting(event) {
  return open().find((action) => action.event === event);
}

// All of them. Of one that was kept nobody knows how far it came: the tab may have been reloaded meanwhile.
export function open() {
  const all = Object.values(tab.read('waiting', {}));
  return all.filter((action) => !sending.has(action.event)).map((action) => ({ ...action, unsure: true }));
}

// Forgets it.
export function settle(event) {
  const { [event]: _, ...others } = tab.read('waiting', {});
  tab.write('waiting', others);
  tell();
}

// Begins: seats are booked by `send`.
export function begin(event, name, seats, user) {
  const action = { event, name, key: newKey(), body: { seats, user_id: user }, unsure: false };
  tab.write('waiting', { ...tab.read('waiting', {}), [event]: action });
  return action;
}

// Sends it, for the first time or again: `{ body, replay }` (the booking, and whether it was made before), or a `Problem` thrown. Where
// that says `unknown`, the action is kept: send it again.
export async function send(action) {
  sending.add(action.event);
  let settled = false;
  try {
    const booking = await exchange(action);
    settled = true;
    return booking;
  } catch (problem) {
    action.unsure ||= problem.unknown;
    settled = !(action.unsure && unsettled(problem));
    throw problem;
  } finally {
    sending.delete(action.event);
    if (settled) settle(action.event);
    else tell();
  }
}

async function exchange({ event, key, body }) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await answer(`/events/${event}/bookings`, { method: 'POST', key, body });
    } catch (problem) {
      if (problem.status !== 404 || !problem.again || tries >= TRIES) throw problem;
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  }
}

// `document` has an event `openbookings` when others may be open.
function tell() {
  document.dispatchEvent(new Event('openbookings'));
}
