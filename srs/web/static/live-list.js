// <live-list src>: the calls under way, by server-sent events; rows are made from the <template> inside.
class LiveList extends HTMLElement {
  connectedCallback() {
    this.body = this.querySelector("tbody");
    this.source = new EventSource(this.getAttribute("src"));
    this.source.addEventListener("message", (event) => this.show(JSON.parse(event.data)));
  }

  disconnectedCallback() {
    this.source.close();
  }

  /** @param {{id: string, caller: string, callee: string, names: string, length: string}[]} calls */
  show(calls) {
    const known = new Map([...this.body.children].map((row) => [row.dataset.id, row]));
    const rows = calls.map((call) => this.fill(known.get(call.id) ?? this.row(call), call));
    if (rows.length !== this.body.children.length || rows.some((row, at) => row !== this.body.children[at])) this.body.replaceChildren(...rows);
    this.querySelector(".empty").hidden = calls.length > 0;
  }

  row(call) {
    const row = this.querySelector("template").content.firstElementChild.cloneNode(true);
    row.dataset.id = call.id;
    return row;
  }

  fill(row, call) {
    [call.caller, call.callee, call.names, call.length].forEach((text, at) => {
      if (row.cells[at].textContent !== text) row.cells[at].textContent = text;
    });
    return row;
  }
}

customElements.define("live-list", LiveList);
