// One chart by uPlot: a title with the newest value of each line as text (a screen reader gets this), and the picture below it. Where the
// pointer is over any chart, all say the values of that moment.

import { color, el, setText, svg } from './dom.js';
import { clock, clockOfAxis } from './format.js';
import { t } from './i18n.js';
import { onResize } from './resize.js';

const HEIGHT = 150;

// A line has the colour of its service, as in the dashboards, and a pattern, so that the colour is not needed.
const COLOURS = { events: '--events', bookings: '--bookings', bus: '--muted', both: '--both' };
const DASHES = { bookings: [], events: [7, 3], bus: [2, 3], both: [], p50: [], p95: [7, 3], p99: [2, 3] };

const STROKE = { width: 1.5, points: { size: 4, show: true, filter: alone } };

const dashOf = ({ by, dash }) => DASHES[dash ?? by];

// `lines`: [{ by, name, dash? }]. → { show([times, ...values], [from, to], marks) }
export function plot(parent, { key, title, lines, most, say, axis }) {
  const place = el('div', { class: 'plot', role: 'img', 'aria-label': t('watch.charts.alt', { title }) });
  const moment = el('span', { class: 'moment muted' });
  const figures = lines.map((line) => {
    const value = el('span', { class: 'value' });
    return { value, node: el('li', { 'data-line': line.dash ?? line.by }, sample(line), ` ${line.name}: `, value) };
  });
  const legend = el('ul', { class: 'figures' }, ...figures.map(({ node }) => node));
  parent.append(el('section', { class: 'chart', 'data-chart': key }, el('h4', {}, title, ' ', moment), legend, place));

  let marks = [];
  let range = [0, 1];
  const colours = new Map();
  const colour = (name) => colours.get(name) ?? colours.set(name, color(name)).get(name);
  const muted = { stroke: () => colour('--muted'), ticks: { show: false } };
  const drawn = new window.uPlot(
    {
      width: Math.max(place.clientWidth, 100),
      height: HEIGHT,
      legend: { show: false },
      cursor: { sync: { key: 'watch' }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: { x: { range: () => range }, y: { range: (_, __, max) => [0, Math.max(most, (max ?? 0) * 1.2)] } },
      axes: [
        { ...muted, grid: { show: false }, values: times, space: 75, size: 24, gap: 2 },
        { ...muted, grid: { stroke: () => colour('--line'), width: 1 }, values: (_, all) => all.map(axis), size: wide, gap: 4, space: 36 },
      ],
      series: [{}, ...lines.map((line) => ({ ...STROKE, stroke: () => colour(COLOURS[line.by]), dash: dashOf(line) }))],
      hooks: { draw: [drawMarks], setCursor: [tell] },
    },
    [[], ...lines.map(() => [])],
    place,
  );
  onResize(place, (width) => drawn.setSize({ width, height: HEIGHT }));
  document.addEventListener('schemechange', () => {
    colours.clear();
    drawn.redraw(false, true);
  });
  tell(drawn);

  function show(data, window_, restarts) {
    [range, marks] = [window_, restarts];
    drawn.setData(data);
    tell(drawn);
  }

  // The newest values, or those under the pointer.
  function tell({ data, cursor }) {
    const pointed = cursor.idx ?? null;
    const index = pointed ?? data[0].length - 1;
    setText(moment, pointed === null ? '' : clock(data[0][pointed] * 1000));
    figures.forEach(({ value, node }, i) => {
      const known = data[i + 1];
      // The line of both services, or the lines of each.
      node.hidden = lines.some(({ by }) => by === 'both') && !known.some((one) => one != null);
      setText(value, say(known[index]));
    });
  }

  // A process started anew: a line from top to bottom, and a word.
  function drawMarks({ ctx, bbox, valToPos }) {
    const scale = window.devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * scale}px system-ui, sans-serif`;
    ctx.lineWidth = scale;
    ctx.strokeStyle = ctx.fillStyle = colour('--warn');
    for (const at of new Set(marks.map((mark) => mark.at))) {
      const x = Math.round(valToPos(at / 1000, 'x', true));
      if (x < bbox.left) continue;
      ctx.setLineDash([scale, 2 * scale]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.textAlign = x > bbox.left + bbox.width / 2 ? 'right' : 'left';
      ctx.fillText(` ${t('watch.charts.restart')} `, x, bbox.top + 10 * scale);
    }
    ctx.restore();
  }

  return { show };
}

// The line as the legend shows it.
function sample(line) {
  const dash = dashOf(line).join(' ');
  const stroke = svg('line', { x1: 0, y1: 5, x2: 24, y2: 5, 'stroke-dasharray': dash, class: `stroke ${line.by}` });
  return svg('svg', { width: 24, height: 10, 'aria-hidden': 'true' }, stroke);
}

// Points that have no neighbour would not be seen as a line.
function alone({ data }, series) {
  const values = data[series];
  const indexes = [];
  values.forEach((value, i) => value != null && values[i - 1] == null && values[i + 1] == null && indexes.push(i));
  return indexes;
}

// At the left end there is the other axis, so no time.
function times({ scales }, all, axis, space, step) {
  const text = step < 60 ? clock : clockOfAxis;
  const { min, max } = scales.x;
  return all.map((second) => (second - min < (max - min) / 20 ? '' : text(second * 1000)));
}

// As wide as the longest text of the axis.
function wide({ ctx, axes }, values, index) {
  const longest = (values ?? []).reduce((long, text) => (text.length > long.length ? text : long), '');
  if (!longest) return 40;
  [ctx.font] = axes[index].font;
  return Math.ceil(ctx.measureText(longest).width / window.devicePixelRatio) + 12;
}
