// One action at a time.

// So long after an action no other click is taken: the second one of a double click comes later than the answer.
const CALM_MS = 700;

export function calm(ms = CALM_MS) {
  return new Promise((done) => setTimeout(done, ms));
}

// A function that does `action`, and nothing while that goes on and for `ms` after it began. Meanwhile the elements of `controls()` say
// that they take no click; they keep the focus.
export function once(action, controls, ms = CALM_MS) {
  let busy = false;
  return async (...what) => {
    if (busy) return;
    busy = true;
    const held = controls();
    held.forEach((control) => control.setAttribute('aria-disabled', 'true'));
    try {
      await Promise.all([action(...what), calm(ms)]);
    } finally {
      busy = false;
      held.forEach((control) => control.removeAttribute('aria-disabled'));
    }
  };
}
