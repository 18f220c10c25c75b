// What /api/traces/{id} tells, made ready to show: each step with its milliseconds after the beginning.

// Microseconds since 1970. `Date` knows milliseconds only, and a booking takes about one.
function micros(at) {
  const [whole, fraction = ''] = at.replace('Z', '').split('.');
  return Date.parse(`${whole}Z`) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

// → { began: ISO text | null, steps: [{ step, by, from, to }] in the order of their times, unknown: [step], processes }
// `to` is when the step happened, `from` is the step before it: both in ms after the beginning.
export function told(story) {
  const known = story.steps.filter(({ at }) => at !== null).map((one) => ({ ...one, micros: micros(one.at) }));
  known.sort((one, other) => one.micros - other.micros);
  const began = known[0]?.micros;
  const ms = (one) => (one.micros - began) / 1000;
  const steps = known.map((one, i) => ({ step: one.step, by: one.by, from: ms(known[Math.max(i - 1, 0)]), to: ms(one) }));
  return {
    began: known[0]?.at ?? null,
    steps,
    unknown: story.steps.filter(({ at }) => at === null).map(({ step }) => step),
    processes: new Set(known.map(({ by }) => by)).size,
  };
}
