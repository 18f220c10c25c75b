// Draws the stations and the arrows between them, as SVG: in one row, or in two where there is little room. way.js says what they say.

import { svg } from './dom.js';

const BOX = { width: 106, height: 84 };

const LAYOUTS = {
  wide: { size: [792, 184], at: (i) => [6 + i * 134.8, 6], dead: [545.2, 136, 240.8] },
  // The second row runs back, so that the arrows stay short.
  narrow: { size: [378, 308], at: (i) => [6 + (i < 3 ? i : 5 - i) * 130, i < 3 ? 6 : 134], dead: [69, 262, 240] },
};

// `names`: [{ name, by }], of which `by` is a class. → { svg, narrow, update(stations, dead) }
export function draw(names, deadName, narrow) {
  const { size, at, dead: deadAt } = LAYOUTS[narrow ? 'narrow' : 'wide'];
  const stations = names.map(({ name, by }, i) => station(name, by, ...at(i)));
  const arrows = names.slice(1).map((_, i) => arrow(at(i), at(i + 1)));
  const dead = deadBox(deadName, ...deadAt);
  const [x, y] = at(4);
  const branch = line(x + BOX.width / 2, y + BOX.height, x + BOX.width / 2, deadAt[1], 'way-arrow way-branch');
  const picture = svg('svg', { viewBox: `0 -2 ${size[0]} ${size[1]}`, 'aria-hidden': 'true', class: 'way' });
  picture.append(tip(), branch, dead.node, ...arrows.map(({ node }) => node), ...stations.map(({ node }) => node));
  return {
    svg: picture,
    narrow,
    update(told, deadCount) {
      told.forEach((one, i) => stations[i].update(one));
      arrows.forEach(({ update }, i) => update(told[i].flows));
      dead.update(deadCount);
    },
  };
}

// The head of an arrow.
function tip() {
  const marker = { id: 'way-tip', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' };
  return svg('defs', {}, svg('marker', marker, svg('path', { d: 'M0 0 L8 4 L0 8 z', class: 'way-tip' })));
}

const line = (x1, y1, x2, y2, name) => svg('line', { x1, y1, x2, y2, class: name, 'marker-end': 'url(#way-tip)' });

const text = (x, y, name, content = '') => svg('text', { x, y, class: name, 'text-anchor': 'middle' }, content);

function station(name, by, x, y) {
  const { width, height } = BOX;
  const middle = width / 2;
  const [figure, word, mine] = [text(middle, 50, 'way-figure'), text(middle, 70, 'way-word'), text(middle, height + 18, 'way-mine')];
  const pile = svg('rect', { x: 0, y: height - 6, width: 0, height: 6, class: 'way-pile' });
  const box = svg('g', { class: 'way-box' });
  box.append(
    svg('rect', { width, height, rx: 8, class: 'way-frame' }),
    svg('rect', { x: 8, y: 0, width: width - 16, height: 4, class: `way-stripe ${by}` }),
    pile,
    text(middle, 24, 'way-name', name),
    figure,
    word,
  );
  const node = svg('g', { transform: `translate(${x} ${y})`, class: 'way-station' }, box, mine);
  const update = (told) => {
    [figure.textContent, word.textContent, mine.textContent] = [told.figure, told.word, told.mine];
    node.classList.toggle('waits', told.waits);
    node.classList.toggle('mine', told.mine !== '');
    // One message is seen, and ten thousand fit.
    const full = told.waits ? Math.min(Math.log10(1 + told.n) / 4, 1) : 0;
    pile.setAttribute('width', Math.round(full * width));
  };
  return { node, update };
}

// With dots that move while messages do: more of them where more do.
function arrow([x1, y1], [x2, y2]) {
  const { width, height } = BOX;
  const middle = height / 2;
  const down = y1 !== y2;
  const from = down ? [x1 + width / 2, y1 + height] : [x1 < x2 ? x1 + width : x1, y1 + middle];
  const to = down ? [x2 + width / 2, y2] : [x1 < x2 ? x2 : x2 + width, y2 + middle];
  const dots = [0, 1, 2].map((i) => svg('circle', { cx: from[0], cy: from[1], r: 3.5, class: `way-dot way-dot-${i}` }));
  const node = svg('g', {}, line(...from, ...to, 'way-arrow'), ...dots);
  node.style.setProperty('--dx', `${to[0] - from[0]}px`);
  node.style.setProperty('--dy', `${to[1] - from[1]}px`);
  const update = (perSecond) => {
    const shown = [perSecond > 0, perSecond >= 5, perSecond >= 50];
    dots.forEach((dot, i) => dot.classList.toggle('moves', shown[i]));
  };
  return { node, update };
}

function deadBox(name, x, y, width) {
  const words = text(width / 2, 27, 'way-name');
  const frame = svg('rect', { width, height: 42, rx: 8, class: 'way-frame' });
  const node = svg('g', { transform: `translate(${x} ${y})`, class: 'way-dead' }, frame, words);
  const update = (count) => {
    words.textContent = `${name}: ${count ?? '?'}`;
    node.classList.toggle('some', count > 0);
  };
  return { node, update };
}
