// The controls of a kind and an accessible name (all of it, or its beginning before "…") that can be seen and used, inside of the
// elements of a selector that contain a text. The browser itself makes the name, as it would for a screen reader.
const [kind, name, selector, text] = arguments;
const kinds = { button: 'button, summary', link: 'a[href]', field: 'input, select, textarea' };
const fits = name.endsWith('…') ? found => found.startsWith(name.slice(0, -1)) : found => found === name;
const usable = element => element.checkVisibility({ visibilityProperty: true }) && !element.disabled
  && element.ariaDisabled !== 'true';
const places = [...document.querySelectorAll(selector)].filter(place => place.textContent.includes(text));
return [...new Set(places.flatMap(place => [...place.querySelectorAll(kinds[kind])]))]
  .filter(element => usable(element) && fits(element.computedName));
