//! The pages of a fax as pictures: a large one and thumbnails, with zoom, text and keys. The emulator draws them, not the browser.

import { control, controlUrl } from "./api.js";
import { fill, h, say } from "./dom.js";
import { icon } from "./icons.js";
import { button, note, problemNote, select } from "./ui.js";

const FIT_PAGE = "page";
const FIT_WIDTH = "width";
const ZOOMS = [0.5, 0.75, 1, 1.5, 2, 3];
const LEVELS = [[FIT_PAGE, "Fit page"], [FIT_WIDTH, "Fit width"], ...ZOOMS.map((zoom) => [String(zoom), `${zoom * 100} %`])];
const THUMB_PX = 120;
/** Widths are requested in steps, so that a resized window can mostly reuse pictures. */
const STEP_PX = 200;
/** The width of a page at its own resolution; the emulator draws no wider pictures. */
const WIDTH_MAX_PX = 1728;
/** The width of letter paper in CSS pixels. */
const PAPER_PX = 816;
const PAPER_RATIO = 8.5 / 11;
/** From this number of pages on, there is a box for a page number. */
const LONG_PAGES = 6;

/** The limits on the sheet's height, and the room below the viewer. */
const SHEET_MIN_PX = 380;
const SHEET_MAX_PX = 1400;
const BELOW_PX = 16;
/** Matches if the window is so wide that the viewer is beside the conversation, as in console.css. */
const beside = matchMedia("(min-width: 68.01rem)");

/** Shows the pages of one fax; `arriving` knows how much of them has arrived. */
export class Viewer {
  constructor(sid, arriving) {
    this.sid = sid;
    this.arriving = arriving;
    this.page = 1;
    this.pages = 0;
    this.zoom = FIT_PAGE;
    this.ratio = PAPER_RATIO;
    /** Whether the viewer turns to each page as its transmission begins. */
    this.follows = true;
    this.thumbs = [];
    this.broken = new Set();
    /** The losses by page of the document; those under null concern the whole document. */
    this.losses = new Map();
    this.image = h("img", { alt: "", draggable: "false", on: { error: () => this.failed(), load: () => this.loaded() } });
    this.veil = h("div", { class: "veil-page" });
    this.paper = h("div", { class: "paper" }, this.image, this.veil);
    this.wait = h("div", { class: "waiting" });
    this.text = h("div", { class: "page-text", hidden: true });
    this.sheet = h("div", { class: "sheet", tabindex: "0", role: "group", "aria-label": "Page", on: { dblclick: () => this.text.hidden && this.setZoom(this.zoom === FIT_PAGE ? FIT_WIDTH : FIT_PAGE) } }, this.paper, this.text, this.wait);
    this.missing = h("div", { class: "missing", role: "status", hidden: true });
    this.where = h("span", { class: "where", role: "status" });
    this.prev = button("", () => this.turn(-1), { kind: "small icon", mark: "left", label: "Previous page" });
    this.next = button("", () => this.turn(1), { kind: "small icon", mark: "right", label: "Next page" });
    this.out = button("", () => this.scale(-1), { kind: "small icon", mark: "minus", label: "Zoom out" });
    this.inn = button("", () => this.scale(1), { kind: "small icon", mark: "plus", label: "Zoom in" });
    this.level = select(LEVELS, FIT_PAGE, { "aria-label": "Zoom", on: { change: () => this.setZoom(this.level.value) } });
    this.texts = button("Text", () => this.toggleText(), { kind: "small", "aria-pressed": "false" });
    this.jump = h("input", { type: "number", min: "1", "aria-label": "Go to page", placeholder: "Go to", on: { change: () => this.jumpTo() } });
    this.strip = h("ol", { class: "thumbs", "aria-label": "All pages" });
    this.element = h("section", { class: "viewer card", id: "pages", "aria-label": "Pages" }, h("div", { class: "bar" }, this.prev, this.where, this.next, this.jump, h("span", { class: "gap" }), this.texts, h("span", { class: "zoom" }, this.out, this.level, this.inn)), this.missing, this.sheet, this.strip);
    this.resized = () => this.measure();
    addEventListener("resize", this.resized);
  }

  keys() {
    return [
      ["ArrowLeft", "Previous page", () => this.turn(-1)],
      ["ArrowRight", "Next page", () => this.turn(1)],
      ["+", "Zoom in", () => this.scale(1)],
      ["-", "Zoom out", () => this.scale(-1)],
      ["0", "Fit the page", () => this.setZoom(FIT_PAGE)],
      ["t", "Show the page's text", () => this.toggleText()],
    ];
  }

  close() {
    removeEventListener("resize", this.resized);
  }

  /** Shows what is known about the fax so far. */
  show({ pages, isOver, hasMedia, status, isOutbound }) {
    const key = `${pages} ${hasMedia} ${isOver} ${status}`;
    const online = this.arriving.page;
    const turns = this.follows && online > 0 && online !== this.page;
    this.status = status;
    this.isOver = isOver;
    this.hasMedia = hasMedia;
    this.element.classList.toggle("outbound", isOutbound);
    if (this.key === key && !turns) return;
    if (this.key !== key) this.broken.clear();
    this.key = key;
    this.pages = pages ?? 0;
    if (turns) this.page = online;
    this.page = Math.min(Math.max(1, this.page), Math.max(1, this.pages));
    this.element.hidden = this.isEmpty;
    this.drawThumbs();
    this.draw();
    this.measure();
    if (turns) this.showThumb();
    if (online > 0 && online < this.pages && hasMedia) new Image().src = this.source(online + 1, this.width);
  }

  /** Whether there is nothing to see, now or later. */
  get isEmpty() {
    return this.isOver && !(this.pages > 0 && this.hasMedia);
  }

  /** Notes a loss: a part of the document that is missing on a page, or on no page in particular. */
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

  /** Fits the paper into its place, and asks for a picture of that size. */
  measure() {
    if (this.element.hidden) return;
    this.fitWindow();
    const style = getComputedStyle(this.sheet);
    const wide = this.sheet.clientWidth - 2 * parseFloat(style.paddingLeft);
    const tall = this.sheet.clientHeight - 2 * parseFloat(style.paddingTop);
    if (!(wide > 0)) return;
    const width = this.zoom === FIT_PAGE ? Math.min(wide, tall * this.ratio) : this.zoom === FIT_WIDTH ? wide : PAPER_PX * this.zoom;
    this.paper.style.width = `${Math.floor(width)}px`;
    this.paper.style.aspectRatio = String(this.ratio);
    this.shown = width;
    const picture = Math.min(WIDTH_MAX_PX, Math.ceil((width * Math.min(devicePixelRatio, 2)) / STEP_PX) * STEP_PX);
    if (picture !== this.width) {
      this.width = picture;
      this.draw();
    }
  }

  /** Fits the sheet's height to the window if the viewer is beside the conversation. */
  fitWindow() {
    const place = this.element.parentElement;
    if (!place) return;
    const top = place.getBoundingClientRect().top + scrollY;
    const rest = this.element.offsetHeight - this.sheet.offsetHeight;
    const height = beside.matches ? `${Math.round(Math.min(SHEET_MAX_PX, Math.max(SHEET_MIN_PX, innerHeight - top - rest - BELOW_PX)))}px` : "";
    if (this.sheet.style.height !== height) this.sheet.style.height = height;
  }

  draw() {
    const has = this.pages > 0 && this.hasMedia;
    this.markLosses();
    say(this.where, this.pages ? `Page ${this.page} of ${this.pages}` : "No pages yet");
    this.prev.disabled = this.page <= 1;
    this.next.disabled = this.page >= this.pages;
    this.jump.hidden = this.pages < LONG_PAGES;
    this.jump.max = String(this.pages);
    this.texts.hidden = !has;
    this.level.value = String(this.zoom);
    this.out.disabled = this.zoom === ZOOMS[0];
    this.inn.disabled = this.zoom === ZOOMS[ZOOMS.length - 1];
    this.sheet.setAttribute("aria-label", `Page ${this.page}`);
    this.thumbs.forEach(({ button: own }, i) => own.setAttribute("aria-current", String(i + 1 === this.page)));
    const draws = has && !this.broken.has(this.page);
    if (draws && this.width) {
      const source = this.source(this.page, this.width);
      if (this.image.getAttribute("src") !== source) {
        this.image.alt = `Page ${this.page} of ${this.pages}`;
        this.image.src = source;
      }
    } else if (!draws) this.image.removeAttribute("src");
    this.image.hidden = !draws;
    this.tellWhyNot(draws);
    this.cover();
    this.showText();
  }

  /** Covers the parts that have not come over the line yet, on the large page and on the small ones. */
  cover() {
    this.arriving.lay([[this.veil, this.page], ...this.thumbs.map(({ cover }, i) => [cover, i + 1])]);
  }

  tellWhyNot(draws) {
    const hides = draws || (!this.isOver && !this.broken.has(this.page) && this.pages > 0);
    if (hides) fill(this.wait);
    else if (this.broken.has(this.page)) fill(this.wait, icon("page"), h("p", {}, "This page can't be shown: it never arrived, its document was deleted, or the emulator doesn't respond."));
    else fill(this.wait, h("p", {}, this.status === "ringing" ? "Ringing…" : "Waiting for the first page…"));
    this.paper.hidden = !hides && this.broken.has(this.page);
  }

  source(page, width) {
    return controlUrl(`/faxes/${this.sid}/pages/${page}.png`, { width });
  }

  loaded() {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    if (!width || !height) return;
    this.ratio = width / height;
    this.measure();
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
      const cover = h("span", { class: "veil-page" });
      const picture = h("span", { class: "leaf" }, draws && h("img", { loading: "lazy", alt: "", width: 60, height: 78, src: this.source(i + 1, THUMB_PX), on: { error: ({ currentTarget }) => currentTarget.remove() } }), cover);
      const own = h("button", { type: "button", "aria-label": `Page ${i + 1}`, "aria-current": String(i + 1 === this.page), on: { click: () => this.go(i + 1) } }, picture, h("span", {}, String(i + 1)));
      return { button: own, cover, element: h("li", {}, own) };
    });
    fill(this.strip, this.thumbs.map(({ element }) => element));
  }

  turn(by) {
    this.go(this.page + by);
  }

  go(page) {
    const wanted = Math.min(Math.max(1, page), Math.max(1, this.pages));
    this.follows = wanted === this.arriving.page;
    if (wanted === this.page) return;
    this.page = wanted;
    this.sheet.scrollTo(0, 0);
    this.draw();
    this.showThumb();
  }

  jumpTo() {
    const page = Number(this.jump.value);
    this.jump.value = "";
    if (Number.isInteger(page) && page > 0) this.go(page);
  }

  showThumb() {
    const thumb = this.thumbs[this.page - 1]?.element;
    if (thumb) this.strip.scrollTo({ left: thumb.offsetLeft - this.strip.clientWidth / 2, behavior: "smooth" });
  }

  /** Zooms one step up or down from the current size, which may be a fitted one. */
  scale(by) {
    const now = this.shown / PAPER_PX;
    const steps = by > 0 ? ZOOMS.filter((zoom) => zoom > now + 0.01) : ZOOMS.filter((zoom) => zoom < now - 0.01).reverse();
    this.setZoom(steps[0] ?? (by > 0 ? ZOOMS[ZOOMS.length - 1] : ZOOMS[0]));
  }

  setZoom(zoom) {
    this.zoom = Number(zoom) || zoom;
    this.measure();
    this.draw();
  }

  toggleText() {
    if (this.texts.hidden) return;
    const shows = this.texts.getAttribute("aria-pressed") !== "true";
    this.texts.setAttribute("aria-pressed", String(shows));
    this.showText();
  }

  async showText() {
    const shows = this.texts.getAttribute("aria-pressed") === "true" && this.hasMedia;
    this.text.hidden = !shows;
    this.sheet.classList.toggle("as-text", shows);
    const { page } = this;
    if (!shows || this.textPage === page) return;
    this.textPage = page;
    try {
      const { text, cut, why } = await control("GET", `/faxes/${this.sid}/pages/${page}/text`);
      if (this.textPage === page) fill(this.text, text === null ? note("", `The text is not known: ${why}.`) : [h("pre", { "aria-label": `Text of page ${page}` }, text), cut && note("odd", "The rest of the text was too long to keep.")]);
    } catch (problem) {
      this.textPage = null;
      fill(this.text, problemNote(problem));
    }
  }
}
