// <live-list src>: the calls under way, by server-sent events; cards and legs are made from the <template>s inside.
// In a card, data-is="name" shows what a call has under a name, data-clock="name" how long ago that was;
// data-when and data-unless show or hide by it.
import { clock } from "./clock.js";

const PATIENCE_MS = 4000; // so long nobody is told that the recorder does not answer

class LiveList extends HTMLElement {
  connectedCallback() {
    this.calls = this.querySelector(".calls");
    this.problem = this.querySelector(".problem");
    this.known = new Map();
    this.ahead = 0; // seconds by which the recorder's clock is ahead of ours
    this.addEventListener("submit", (event) => this.order(event));
    this.source = new EventSource(this.getAttribute("src"));
    this.source.addEventListener("message", (event) => this.show(JSON.parse(event.data)));
    this.source.addEventListener("open", () => this.answered());
    this.source.addEventListener("error", () => this.unanswered());
    this.ticking = setInterval(() => this.tick(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.ticking);
    clearTimeout(this.waiting);
    this.source.close();
  }

  answered() {
    clearTimeout(this.waiting);
    this.querySelector(".away").hidden = true;
  }

  /** The browser asks again by itself, unless it was refused: then whoever looks must sign in again. */
  unanswered() {
    if (this.source.readyState === EventSource.CLOSED) return location.reload();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => (this.querySelector(".away").hidden = false), PATIENCE_MS);
  }

  /** @param {{now: number, ids: string[], calls: {id: string, legs: object[]}[]}} news all calls there are, and those that are different, see srs/web/live.py */
  show({ now, ids, calls }) {
    this.ahead = now - Date.now() / 1000;
    for (const call of calls) this.known.set(call.id, call);
    const cards = new Map([...this.calls.children].map((card) => [card.dataset.id, card]));
    for (const { id } of calls) cards.set(id, this.fill(cards.get(id) ?? this.card(id), this.known.get(id)));
    for (const id of this.known.keys()) if (!ids.includes(id)) this.known.delete(id);
    this.arrange(ids.map((id) => cards.get(id)));
    this.querySelector(".empty").hidden = ids.length > 0;
    this.tick();
  }

  tick() {
    const now = Date.now() / 1000 + this.ahead;
    for (const card of this.calls.children) {
      const call = this.known.get(card.dataset.id) ?? {};
      for (const part of card.querySelectorAll("[data-clock]")) if (call[part.dataset.clock]) write(part, clock(now - call[part.dataset.clock]));
    }
  }

  /** In this order, without moving those that are in place: a card that is moved stops sounding. */
  arrange(cards) {
    for (const card of [...this.calls.children]) if (!cards.includes(card)) card.remove();
    cards.forEach((card, at) => {
      if (this.calls.children[at] !== card) this.calls.insertBefore(card, this.calls.children[at] ?? null);
    });
  }

  copy(kind) {
    return this.querySelector(`template[data-of=${kind}]`).content.firstElementChild.cloneNode(true);
  }

  card(id) {
    const card = this.copy("call");
    card.dataset.id = id;
    for (const form of card.querySelectorAll("form")) form.action = `/live/${id}`;
    card.querySelector("a.danger").href = `/live/${id}/stop`;
    card.querySelector("listen-in").setAttribute("src", `/live/${id}/listen`);
    return card;
  }

  fill(card, call) {
    for (const part of card.querySelectorAll(":scope [data-is]:not(.legs *)")) write(part, call[part.dataset.is]);
    for (const part of card.querySelectorAll("[data-when]")) part.hidden = !call[part.dataset.when];
    for (const part of card.querySelectorAll("[data-unless]")) part.hidden = Boolean(call[part.dataset.unless]);
    const legs = card.querySelector(".legs");
    while (legs.children.length > call.legs.length) legs.lastElementChild.remove();
    while (legs.children.length < call.legs.length) legs.append(this.copy("leg"));
    call.legs.forEach((leg, at) => this.leg(legs.children[at], leg));
    return card;
  }

  leg(row, leg) {
    for (const part of row.querySelectorAll("[data-is]")) write(part, leg[part.dataset.is]);
    row.querySelector("meter").value = leg.level;
    row.querySelector(".badge").className = `badge ${leg.quality}`;
  }

  /** Without leaving the page: whoever listens goes on listening. */
  async order(event) {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(event.target, event.submitter));
    const answer = await fetch(event.target.action, { method: "POST", body, headers: { Accept: "text/plain" } });
    this.problem.hidden = answer.ok;
    if (!answer.ok) this.problem.textContent = await answer.text();
  }
}

/** Set a text, if it is another. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

customElements.define("live-list", LiveList);
