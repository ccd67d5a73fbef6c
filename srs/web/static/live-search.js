// Search while typing: the same address, asked for its rows alone. Without this script the form does the same.
const policy = globalThis.trustedTypes?.createPolicy("fragment", { createHTML: (text) => text }) ?? { createHTML: (text) => text };
const form = document.querySelector("form[data-rows]");
const rows = document.querySelector(form.dataset.rows);
const status = document.querySelector("#found");
let waiting;
let asked;

/** The form as an address, without what is empty. */
function address() {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  return `${form.action}?${query}`;
}

/** Fetch and show the rows; an answer that was overtaken is dropped. */
async function show() {
  asked?.abort();
  asked = new AbortController();
  const to = address();
  try {
    const answer = await fetch(to, { headers: { "X-Fragment": "rows" }, signal: asked.signal });
    if (!answer.ok) return location.assign(to);
    rows.innerHTML = policy.createHTML(await answer.text());
    status.textContent = rows.querySelector("[data-found]")?.dataset.found ?? rows.querySelector("h2")?.textContent ?? "";
    history.replaceState(null, "", to);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, 200);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  show();
});
