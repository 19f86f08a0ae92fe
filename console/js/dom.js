//! Builds elements. Text goes in as text nodes and attributes as attributes: no value ever becomes markup.

const SVG = "http://www.w3.org/2000/svg";
/** The addresses that links may have: a `javascript:` address in somebody's data remains plain text. */
const SAFE_ADDRESS = /^(https?:\/\/|blob:|\/(?!\/)|#|\?)/i;

/** An element with properties and children; `null`, `undefined` and `false` children are left out. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) set(element, name, value);
  put(element, children);
  return element;
}

/** An SVG element. */
export function s(tag, props, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props ?? {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") {
    for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  } else if (name === "data") {
    Object.assign(element.dataset, value);
  } else if (name === "value" || name === "checked" || name === "selected" || name === "disabled" || name === "open") {
    element[name] = value;
  } else if (name === "href" || name === "src") {
    if (SAFE_ADDRESS.test(String(value))) element.setAttribute(name, value);
  } else {
    element.setAttribute(name, value === true ? "" : value);
  }
}

/** Appends children; lists of them are flattened. */
export function put(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

/** Replaces an element's children. */
export function fill(element, ...children) {
  element.replaceChildren();
  return put(element, ...children);
}

/** Sets text only where it differs, so that screen readers and selections stay undisturbed. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let lastId = 0;
/** A new id, with which one element can refer to another, as a label does. */
export function freshId(prefix = "x") {
  lastId += 1;
  return `${prefix}-${lastId}`;
}
