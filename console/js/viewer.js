//! The pages of a fax as pictures: one large, all small, zoom and keys. The emulator draws them; no document runs here.

import { controlUrl } from "./api.js";
import { fill, h, say } from "./dom.js";
import { icon } from "./icons.js";
import { button, note } from "./ui.js";

const ZOOMS = [0.5, 0.75, 1, 1.5, 2, 3];
const FIT = 1;
const THUMB_PX = 120;
/** Widths are asked for in steps, so that a resized window finds most pictures kept. */
const STEP_PX = 200;
/** A page at its own resolution; the emulator draws none wider. */
const WIDTH_MAX_PX = 1728;

/** Shows the pages of one fax. */
export class Viewer {
  constructor(sid) {
    this.sid = sid;
    this.page = 1;
    this.pages = 0;
    this.zoom = FIT;
    this.sent = new Set();
    this.thumbs = [];
    this.broken = new Set();
    /** What is missing, by the document's page; under null what concerns all of it. */
    this.losses = new Map();
    this.image = h("img", { alt: "", draggable: "false", on: { error: () => this.failed(), load: () => this.loaded() } });
    this.wait = h("div", { class: "waiting" });
    this.sheet = h("div", { class: "sheet", tabindex: "0", role: "group", "aria-label": "Page" }, this.image, this.wait);
    this.missing = h("div", { class: "missing", role: "status", hidden: true });
    this.where = h("span", { class: "where", role: "status" });
    this.prev = button("", () => this.turn(-1), { kind: "small icon", mark: "left", label: "Previous page" });
    this.next = button("", () => this.turn(1), { kind: "small icon", mark: "right", label: "Next page" });
    this.out = button("", () => this.scale(-1), { kind: "small icon", mark: "minus", label: "Zoom out" });
    this.inn = button("", () => this.scale(1), { kind: "small icon", mark: "plus", label: "Zoom in" });
    this.level = button("Fit", () => this.setZoom(FIT), { kind: "small", "aria-label": "Fit the width" });
    this.strip = h("ol", { class: "thumbs", "aria-label": "All pages" });
    this.element = h("section", { class: "viewer card", "aria-label": "Pages" }, h("div", { class: "bar" }, this.prev, this.where, this.next, h("span", { class: "gap" }), this.out, this.level, this.inn), this.missing, this.sheet, this.strip);
    this.resized = () => this.measure();
    addEventListener("resize", this.resized);
  }

  keys() {
    return [
      ["ArrowLeft", "Previous page", () => this.turn(-1)],
      ["ArrowRight", "Next page", () => this.turn(1)],
      ["+", "Zoom in", () => this.scale(1)],
      ["-", "Zoom out", () => this.scale(-1)],
      ["0", "Fit the width", () => this.setZoom(FIT)],
    ];
  }

  close() {
    removeEventListener("resize", this.resized);
  }

  /** What is known of the fax by now. */
  show({ pages, isOver, hasMedia, status }) {
    const changed = this.pages !== (pages ?? 0) || this.hasMedia !== hasMedia || this.isOver !== isOver;
    this.status = status;
    this.isOver = isOver;
    this.hasMedia = hasMedia;
    if (!changed) return;
    this.broken.clear();
    this.pages = pages ?? 0;
    this.page = Math.min(Math.max(1, this.page), Math.max(1, this.pages));
    this.drawThumbs();
    this.draw();
  }

  /** A page has gone over the line. */
  arrived(page, pages) {
    this.sent.add(page);
    this.thumbs[page - 1]?.element.classList.add("sent");
    if (!this.isOver) this.tellProgress(page, pages);
  }

  /** Something of the document is missing on a page, or on no page in particular. */
  lost(page, what) {
    this.losses.set(page, [...(this.losses.get(page) ?? []), what]);
    this.markLosses();
  }

  markLosses() {
    const here = [...(this.losses.get(null) ?? []), ...(this.losses.get(this.page) ?? [])];
    const key = JSON.stringify(here);
    if (this.missingKey !== key) {
      this.missingKey = key;
      this.missing.hidden = here.length === 0;
      fill(this.missing, here.map((what) => note("odd", h("strong", {}, "Missing here: "), what)));
    }
    this.thumbs.forEach(({ button: own }, i) => {
      const isMarked = this.losses.has(i + 1);
      own.classList.toggle("marked", isMarked);
      own.setAttribute("aria-label", isMarked ? `Page ${i + 1}, something is missing` : `Page ${i + 1}`);
    });
  }

  tellProgress(page, pages) {
    fill(this.wait, h("div", { class: "line" }), h("p", {}, `Page ${page} of ${pages} has been transmitted`));
  }

  measure() {
    const width = Math.min(WIDTH_MAX_PX, Math.ceil((this.sheet.clientWidth * this.zoom * Math.min(devicePixelRatio, 2)) / STEP_PX) * STEP_PX);
    if (width > 0 && width !== this.width) {
      this.width = width;
      this.draw();
    }
  }

  draw() {
    const has = this.pages > 0 && this.hasMedia;
    this.markLosses();
    this.element.classList.toggle("blank", !has);
    say(this.where, this.pages ? `Page ${this.page} of ${this.pages}` : "No pages");
    this.prev.disabled = this.page <= 1;
    this.next.disabled = this.page >= this.pages;
    say(this.level.lastChild, this.zoom === FIT ? "Fit" : `${this.zoom * 100} %`);
    this.out.disabled = this.zoom <= ZOOMS[0];
    this.inn.disabled = this.zoom >= ZOOMS[ZOOMS.length - 1];
    this.sheet.setAttribute("aria-label", `Page ${this.page}`);
    this.image.style.width = `${this.zoom * 100}%`;
    this.image.classList.toggle("over", this.zoom > 1);
    this.thumbs.forEach(({ button: own }, i) => own.setAttribute("aria-current", String(i + 1 === this.page)));
    if (has && !this.broken.has(this.page)) {
      const source = this.source(this.page, this.width ?? 1000);
      if (this.image.getAttribute("src") !== source) {
        this.image.alt = `Page ${this.page} of ${this.pages}`;
        this.image.src = source;
      }
      this.image.hidden = false;
    } else {
      this.image.hidden = true;
      this.image.removeAttribute("src");
      this.tellWhyNot();
    }
  }

  tellWhyNot() {
    if (this.broken.has(this.page)) fill(this.wait, icon("page"), h("p", {}, "This page can't be drawn: it never arrived, or its document was deleted."));
    else if (this.isOver) fill(this.wait, icon("page"), h("p", {}, this.status === "received" || this.status === "delivered" ? "The document is not stored." : "No pages were transmitted."));
    else if (this.sent.size === 0) fill(this.wait, h("div", { class: "line" }), h("p", {}, this.status === "ringing" ? "Ringing…" : "Waiting for the first page…"));
  }

  source(page, width) {
    return controlUrl(`/faxes/${this.sid}/pages/${page}.png`, { width });
  }

  loaded() {
    fill(this.wait);
  }

  failed() {
    if (!this.image.getAttribute("src")) return;
    this.broken.add(this.page);
    this.draw();
  }

  drawThumbs() {
    const draws = this.hasMedia;
    const key = `${this.pages} ${draws}`;
    if (this.thumbsKey === key) return;
    this.thumbsKey = key;
    this.strip.hidden = this.pages < 2;
    this.thumbs = Array.from({ length: this.pages }, (_, i) => {
      const picture = draws ? h("img", { loading: "lazy", alt: "", width: 60, height: 78, src: this.source(i + 1, THUMB_PX) }) : h("span", { class: "leaf" });
      const own = h("button", { type: "button", "aria-label": `Page ${i + 1}`, "aria-current": String(i + 1 === this.page), on: { click: () => this.go(i + 1) } }, picture, h("span", {}, String(i + 1)));
      return { button: own, element: h("li", { class: this.sent.has(i + 1) ? "sent" : null }, own) };
    });
    fill(this.strip, this.thumbs.map(({ element }) => element));
  }

  turn(by) {
    this.go(this.page + by);
  }

  go(page) {
    const wanted = Math.min(Math.max(1, page), Math.max(1, this.pages));
    if (wanted === this.page) return;
    this.page = wanted;
    this.sheet.scrollTo(0, 0);
    this.draw();
    const thumb = this.thumbs[wanted - 1]?.element;
    if (thumb) this.strip.scrollTo({ left: thumb.offsetLeft - this.strip.clientWidth / 2, behavior: "smooth" });
  }

  scale(by) {
    const now = ZOOMS.indexOf(this.zoom);
    this.setZoom(ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, now + by))]);
  }

  setZoom(zoom) {
    this.zoom = zoom;
    this.draw();
    this.measure();
  }
}

