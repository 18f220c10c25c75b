// Making elements. All text goes in as text nodes, so a name that looks like HTML is shown as it is and never read as HTML.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// An element: `el('button', { type: 'button', onclick: book }, 'Book')`. Attributes that are null, undefined or false are left out.
export function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// The same for SVG.
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// Replaces the text of an element where it is another one, so that nothing is drawn or read out for no reason.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Has a screen reader say it when it is done with what it says now.
export function say(text) {
  const live = document.getElementById('live');
  // The same sentence twice is no change, and would not be said again.
  live.textContent = live.textContent === text ? `${text}\u00a0` : text;
}

// A colour of style.css in the scheme of now, for what CSS cannot reach: `color('--events')` is like `rgb(29, 91, 190)`.
// `document` has an event `schemechange` when it is another one.
export function color(name) {
  const probe = el('span', { hidden: true });
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
