// Calls `handler` with the width of an element, at first and whenever it is another one.

export function onResize(element, handler) {
  let known = 0;
  const look = () => {
    const width = element.clientWidth;
    if (width === known || width === 0) return;
    known = width;
    handler(width);
  };
  // Not within the observer: a change of size in there is reported as an error.
  new ResizeObserver(() => requestAnimationFrame(look)).observe(element);
}
