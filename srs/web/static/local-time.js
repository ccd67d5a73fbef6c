// <local-time>: the <time> inside, in the reader's own time zone and language.
const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

class LocalTime extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector("time");
    if (!time) return;
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) return;
    time.title = time.dateTime;
    time.textContent = format.format(moment);
  }
}

customElements.define("local-time", LocalTime);
