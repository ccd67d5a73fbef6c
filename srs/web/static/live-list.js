// <live-list src>: the calls under way, by server-sent events; cards and legs are made from the <template>s inside.
// In a card, data-is="name" shows what a call has under a name; data-when and data-unless show or hide by it.
class LiveList extends HTMLElement {
  connectedCallback() {
    this.calls = this.querySelector(".calls");
    this.problem = this.querySelector(".problem");
    this.addEventListener("submit", (event) => this.order(event));
    this.source = new EventSource(this.getAttribute("src"));
    this.source.addEventListener("message", (event) => this.show(JSON.parse(event.data)));
  }

  disconnectedCallback() {
    this.source.close();
  }

  /** @param {{id: string, legs: object[]}[]} calls what srs/web/live.py tells of each */
  show(calls) {
    const known = new Map([...this.calls.children].map((card) => [card.dataset.id, card]));
    const cards = calls.map((call) => this.fill(known.get(call.id) ?? this.card(call), call));
    if (cards.length !== known.size || cards.some((card, at) => card !== this.calls.children[at])) this.arrange(cards);
    this.querySelector(".empty").hidden = calls.length > 0;
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

  card(call) {
    const card = this.copy("call");
    card.dataset.id = call.id;
    for (const form of card.querySelectorAll("form")) form.action = `/live/${call.id}`;
    card.querySelector("a.danger").href = `/live/${call.id}/stop`;
    card.querySelector("listen-in").setAttribute("src", `/live/${call.id}/listen`);
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
