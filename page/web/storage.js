// What the browser keeps: `localStorage` for all tabs, `sessionStorage` for this one. A browser may refuse either; then nothing is kept.

function part(area) {
  return {
    read(name, otherwise) {
      try {
        const text = window[area].getItem(`myevents.${name}`);
        return text === null ? otherwise : JSON.parse(text);
      } catch {
        return otherwise;
      }
    },
    write(name, value) {
      try {
        window[area].setItem(`myevents.${name}`, JSON.stringify(value));
      } catch {
        // It is full or forbidden: the page works without.
      }
    },
  };
}

export const kept = part('localStorage');
export const tab = part('sessionStorage');
