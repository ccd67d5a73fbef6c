// <call-player src peaks duration>: waveform of every channel from the recorder's peaks, with what happened marked on
// it, over the native <audio> inside. Keys: space, arrows, [ ] and 1 to 9. Texts come as data- attributes.
import { clock } from "./clock.js";
import { drawing, outline, quiet } from "./waveform.js";

const KINDS = { loss: "loss", pause: "hold", withheld: "withheld", key: "key", notice: "notice" };
const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
const AGAIN_MS = 1500; // until sound that broke off is asked for again
const TRIES = 4;

/** An element with attributes, and with what it holds. */
function make(name, attributes = {}, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

class CallPlayer extends HTMLElement {
  async connectedCallback() {
    this.audio = this.querySelector("audio");
    this.facts = JSON.parse(this.querySelector("script").textContent);
    this.duration = Number(this.getAttribute("duration"));
    this.build();
    this.listen();
    const answer = await fetch(this.getAttribute("peaks"));
    if (answer.ok) {
      this.peaks = outline(await answer.arrayBuffer());
      this.draw();
    }
  }

  disconnectedCallback() {
    this.resized?.disconnect();
    this.context?.close();
  }

  build() {
    const say = this.dataset;
    this.audio.controls = false;
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.position = make("input", { type: "range", class: "position", min: 0, max: this.duration, step: 0.1, value: 0, "aria-label": say.position });
    this.button = make("button", { type: "button", class: "primary" }, say.play);
    this.problem = make("small", { role: "status" });
    this.time = make("output", {}, `0:00 / ${clock(this.duration)}`);
    this.speed = make("select", { "aria-label": say.speed }, ...SPEEDS.map((speed) => make("option", { value: speed, ...(speed === 1 && { selected: "" }) }, `${speed}×`)));
    this.skip = make("input", { type: "checkbox" });
    this.lanes = this.facts.lanes.map((name, channel) => this.lane(name, channel));
    const skip = make("label", { class: "check" }, this.skip, say.skip);
    this.append(this.canvas, this.position, make("div", { class: "controls" }, this.button, this.time, this.speed, skip, ...this.lanes.map((lane) => lane.element)), this.problem, this.marks());
  }

  lane(name, channel) {
    const mute = make("button", { type: "button", "aria-pressed": "false", "aria-label": `${this.dataset.mute} ${name}` }, this.dataset.mute);
    const volume = make("input", { type: "range", min: 0, max: 2, step: 0.05, value: 1, "aria-label": `${this.dataset.volume} ${name}` });
    const lane = { mute, volume, element: make("span", { class: `lane l${channel}` }, make("i"), name, mute, volume) };
    mute.addEventListener("click", () => {
      mute.setAttribute("aria-pressed", String(mute.getAttribute("aria-pressed") !== "true"));
      this.mix();
    });
    volume.addEventListener("input", () => this.mix());
    return lane;
  }

  marks() {
    const shown = this.facts.marks.slice(0, 60).map((mark) => {
      const button = make("button", { type: "button", class: mark.kind }, `${clock(mark.at)} ${this.dataset[KINDS[mark.kind] ?? "event"]} ${mark.text}`);
      button.addEventListener("click", () => this.jump(mark.at - 1));
      return make("li", {}, button);
    });
    return make("ul", { class: "marks", "aria-label": this.dataset.marks, ...(shown.length === 0 && { hidden: "" }) }, ...shown);
  }

  listen() {
    this.button.addEventListener("click", () => this.toggle());
    this.position.addEventListener("input", () => this.jump(Number(this.position.value)));
    this.canvas.addEventListener("pointerdown", (event) => this.jump((event.offsetX / this.canvas.clientWidth) * this.duration));
    this.speed.addEventListener("change", () => (this.audio.playbackRate = Number(this.speed.value)));
    this.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["play", "pause", "ended"]) this.audio.addEventListener(name, () => (this.button.textContent = this.audio.paused ? this.dataset.play : this.dataset.pause));
    for (const name of ["timeupdate", "seeked"]) this.audio.addEventListener(name, () => this.moved());
    this.audio.addEventListener("error", () => this.broken());
    this.audio.addEventListener("playing", () => this.sounds());
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.canvas);
  }

  /** The channels apart, each with its volume; browsers allow sound only after a click. */
  mixer() {
    this.context = new AudioContext();
    const source = this.context.createMediaElementSource(this.audio);
    const splitter = this.context.createChannelSplitter(Math.max(2, this.lanes.length));
    const merger = this.context.createChannelMerger(2);
    source.connect(splitter);
    this.gains = this.lanes.map((_, channel) => {
      const gain = this.context.createGain();
      splitter.connect(gain, channel);
      if (channel !== 1 || this.lanes.length > 2) gain.connect(merger, 0, 0);
      if (channel !== 0 || this.lanes.length !== 2) gain.connect(merger, 0, 1);
      return gain;
    });
    merger.connect(this.context.destination);
    this.mix();
  }

  mix() {
    this.gains?.forEach((gain, channel) => {
      const { mute, volume } = this.lanes[channel];
      gain.gain.value = mute.getAttribute("aria-pressed") === "true" ? 0 : Number(volume.value);
    });
  }

  toggle() {
    if (!this.context) this.mixer();
    this.context.resume();
    if (this.audio.paused) this.audio.play();
    else this.audio.pause();
  }

  sounds() {
    this.tries = TRIES;
    this.problem.textContent = "";
  }

  /** The sound broke off, as when the recorder's processes are replaced: go on from there. */
  broken() {
    this.tries = (this.tries ?? TRIES) - 1;
    this.problem.textContent = this.tries < 0 ? this.dataset.failed : this.dataset.lost;
    if (this.tries < 0) return;
    const [at, playing] = [this.audio.currentTime, !this.audio.paused];
    setTimeout(() => {
      this.audio.load();
      this.audio.currentTime = at;
      if (playing) this.audio.play();
    }, AGAIN_MS);
  }

  jump(to) {
    this.audio.currentTime = Math.min(Math.max(to, 0), this.duration);
  }

  moved() {
    const at = this.audio.currentTime;
    const over = this.skip.checked && this.peaks && !this.audio.paused ? quiet(this.peaks, at) : 0;
    if (over > 0) return this.jump(at + over);
    this.position.value = at;
    this.position.setAttribute("aria-valuetext", clock(at));
    this.time.textContent = `${clock(at)} / ${clock(this.duration)}`;
    this.draw();
  }

  key(event) {
    const inside = event.target === this ? "" : event.target.localName;
    if (["input", "select"].includes(inside) || (inside && " 123456789".includes(event.key)) || event.ctrlKey || event.altKey || event.metaKey) return;
    const step = { "[": -1, "]": 1 }[event.key];
    if (event.key === " ") this.toggle();
    else if (event.key === "ArrowLeft") this.jump(this.audio.currentTime - 5);
    else if (event.key === "ArrowRight") this.jump(this.audio.currentTime + 5);
    else if (step) {
      this.speed.selectedIndex = Math.min(Math.max(this.speed.selectedIndex + step, 0), SPEEDS.length - 1);
      this.speed.dispatchEvent(new Event("change"));
    } else if (this.lanes[Number(event.key) - 1]) this.lanes[Number(event.key) - 1].mute.click();
    else return;
    event.preventDefault();
  }

  draw() {
    if (this.peaks) drawing(this.canvas, this.peaks, this.facts.marks, this.audio.currentTime, this.duration);
  }
}

customElements.define("call-player", CallPlayer);
