//! Line icons, 24 by 24, and the logo. Screen readers skip them: the text beside an icon, or the label of its button, says the same.

import { s } from "./dom.js";

const PATHS = {
  faxes: "M6 9V3h12v6M4 9h16a1 1 0 0 1 1 1v8h-4v-3H7v3H3v-8a1 1 0 0 1 1-1zM7 15h10v6H7z",
  in: "M17 7 7 17M7 9v8h8",
  out: "M7 17 17 7M9 7h8v8",
  bins: "M8 4 3 12l5 8M16 4l5 8-5 8",
  numbers: "M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A15 15 0 0 1 3 6a2 2 0 0 1 2-2z",
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5 21 21",
  traffic: "M7 20V5M3.5 8.5 7 5l3.5 3.5M17 4v15M13.5 15.5 17 19l3.5-3.5",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 21h4",
  pause: "M8.5 5v14M15.5 5v14",
  play: "M8 5v14l11-7z",
  clock: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 7v5l3.5 2",
  alerts: "M12 4 2.5 20h19zM12 10v4.5M12 17.2v.3",
  judge: "M12 3 5 6v5c0 5 3 8 7 10 4-2 7-5 7-10V6zM8.5 12l2.5 2.5 4.5-5",
  worlds: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM3 12h18M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9c-3-3-3.5-6-3.5-9S9 6 12 3z",
  connect: "M9 7V3M15 7V3M6 7h12v4a6 6 0 0 1-12 0zM12 17v4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "m5 12.5 4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6 6 18",
  left: "m14.5 5-7 7 7 7",
  right: "m9.5 5 7 7-7 7",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  down: "M12 4v12M6 11l6 6 6-6M5 21h14",
  up: "M12 20V8M6 13l6-6 6 6M5 3h14",
  replay: "M4 12a8 8 0 1 0 2.5-5.8M4 4v4.5h4.5",
  pen: "m4 20 1-4L16 5l3 3L8 19zM13.5 7.5l3 3",
  menu: "M4 7h16M4 12h16M4 17h16",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z",
  trash: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5M14 11v5",
  info: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 11v5M12 7.8v.3",
  key: "M8 10.5a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM11 11.5 20 3M16 6.6l2.8 2.8",
  wide: "M4 12h16M7.5 8 4 12l3.5 4M16.5 8l3.5 4-3.5 4",
  page: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  rules: "M4 6h10M18 6h2M16 4v4M4 12h3M11 12h9M9 10v4M4 18h9M17 18h3M15 16v4",
  alert: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 7.5v5.5M12 16.2v.3",
};

/** The icon with this name, a key of `PATHS`. */
export function icon(name) {
  return s(
    "svg",
    { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.7", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true", focusable: "false" },
    s("path", { d: PATHS[name] }),
  );
}

/** The logo, which the frame shows beside the name fauxfax. */
export function mark() {
  return s(
    "svg",
    { viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" },
    s("rect", { width: "32", height: "32", rx: "8", fill: "#0f5c5c" }),
    s("path", { d: "M10 13V6h9l3 3v4", fill: "#fff" }),
    s("path", { d: "M7 13h18a2 2 0 0 1 2 2v8h-4v-3H9v3H5v-8a2 2 0 0 1 2-2z", fill: "#e9f3ef" }),
    s("path", { d: "M10 20h12v6H10z", fill: "#fff" }),
    s("path", { d: "M12 22.5h8M12 24.5h5", stroke: "#0f5c5c", "stroke-width": "1.2" }),
    s("circle", { cx: "23", cy: "16.5", r: "1.3", fill: "#d9622b" }),
  );
}
